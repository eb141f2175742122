// A login in a browser that has a session already: the one that its cookie held ends, as nobody could end it later.
import { expect } from 'chai'
import { browserClient, type BrowserClient, COOKIE_NAME } from '../../support/clients/browser-client.ts'
import {
  claimsOf,
  PASSWORD,
  statusAndBody,
  testEnvironment,
  type TestEnvironment,
} from '../../support/service/environment.ts'

interface LoggedIn {
  access: string
  csrf_token: string
}

describe('a login with the cookie of another session', () => {
  let env: TestEnvironment
  let page: BrowserClient
  /** Somebody who has copied the first cookie. */
  let copy: BrowserClient
  let first: LoggedIn

  before(async () => {
    env = await testEnvironment()
    await env.addUser('bob')
  })
  beforeEach(async () => {
    page = browserClient(env.signoff)
    first = (await login()).json as LoggedIn
    copy = browserClient(env.signoff)
    await copy.setCookie((await page.cookie()) ?? '')
  })
  after(async () => {
    await env.stop()
  })

  const login = async (username = 'alice', password = PASSWORD) =>
    await page.call('/auth/session', { json: { username, password } })
  const read = async (client: BrowserClient) => (await client.call('/auth/session', { method: 'GET' })).status
  const check = async (access: string) =>
    (await env.signoff.call('/auth/check', { headers: { Authorization: `Bearer ${access}` } })).status
  const csrf = ({ csrf_token }: LoggedIn) => ({ headers: { 'X-CSRF-Token': csrf_token } })
  const sidOf = ({ access }: LoggedIn) => claimsOf(access)['sid']

  for (const username of ['alice', 'bob']) {
    it(`ends that session at a login of ${username}`, async () => {
      const second = (await login(username)).json as LoggedIn

      expect(await read(copy)).to.equal(401)
      expect((await copy.call('/auth/session/refresh', csrf(first))).status).to.equal(401)
      expect(await check(first.access)).to.equal(401)
      expect(await read(page)).to.equal(200)
      expect(await check(second.access)).to.equal(200)
    })
  }

  it('leaves that session over when the new one ends', async () => {
    const second = (await login()).json as LoggedIn
    await page.call('/auth/logout', csrf(second))

    expect(await read(copy)).to.equal(401)
    expect(await check(first.access)).to.equal(401)
  })

  it('writes down whose session ended, and why', async () => {
    await login('bob')

    const id = sidOf(first)
    const [session] = await env.database.sql<object>(
      'SELECT user_id, end_reason FROM user_sessions WHERE id = $1',
      [id],
    )
    const entries = await env.database.sql(
      `SELECT event_type, user_id, message FROM logs WHERE session_id = $1 AND event_type <> 'USER_LOGIN'`,
      [id],
    )
    const user_id = claimsOf(first.access)['sub']
    expect(session).to.deep.equal({ user_id, end_reason: 'replaced' })
    expect(entries).to.deep.equal([
      { event_type: 'SESSION_REVOKED', user_id, message: 'replaced by a login in the same browser' },
    ])
  })

  it('leaves that session alone when it fails, and its cookie too', async () => {
    const answers = [
      await login('alice', 'not hers'),
      await login('nobody', 'not his'),
      await page.call('/auth/session', { json: { username: 'alice' } }),
      await page.call('/auth/session', {
        json: { username: 'alice', password: PASSWORD },
        headers: { Origin: 'https://evil.example' },
      }),
    ]

    expect(answers.map(({ status }) => status)).to.deep.equal([401, 401, 400, 403])
    for (const { headers } of answers) expect(headers).not.to.have.property('set-cookie')
    expect(await read(page)).to.equal(200)
    expect(await check(first.access)).to.equal(200)
  })

  it('is a login like any other where the cookie holds garbage, an access token or a session that is over', async () => {
    const over = (await copy.cookie()) ?? ''
    await copy.call('/auth/logout', csrf(first))
    const { access, refresh } = await env.login()

    for (const value of ['garbage', access, `${refresh}x`, over]) {
      await page.setCookie(value)
      expect((await login()).status, value).to.equal(200)
      expect(await read(page)).to.equal(200)
    }
    expect(await check(access)).to.equal(200)
  })

  it('answers 503 and no new cookie when that session cannot be ended, and can be tried again', async () => {
    await env.database.sql(`
      CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE 'no room' USING ERRCODE = '53200'; END $$;
      CREATE TRIGGER no_room BEFORE UPDATE ON user_sessions FOR EACH ROW EXECUTE FUNCTION no_room();`)

    const failed = await env.firstAnswers.call('/auth/session', {
      json: { username: 'alice', password: PASSWORD },
      headers: { Cookie: `${COOKIE_NAME}=${(await page.cookie()) ?? ''}` },
    })
    await env.database.sql('DROP TRIGGER no_room ON user_sessions')

    expect(statusAndBody(failed)).to.deep.equal({
      status: 503,
      body: { error_code: 'UNAVAILABLE', message: 'The service is unavailable for the moment. Try again.' },
    })
    expect(failed.headers).to.have.property('retry-after')
    expect(failed.headers).not.to.have.property('set-cookie')
    expect(await read(copy)).to.equal(200)

    expect((await login()).status).to.equal(200)
    expect(await read(copy)).to.equal(401)
  })
})
