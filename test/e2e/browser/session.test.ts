// The browser dialect row by row: login, who am I, refresh, logout, over TLS with a cookie jar.
import { expect } from 'chai'
import { browserClient, COOKIE_NAME, type BrowserClient } from '../../support/clients/browser-client.ts'
import {
  claimsOf,
  PASSWORD,
  statusAndBody,
  testEnvironment,
  type TestEnvironment,
} from '../../support/service/environment.ts'

interface LoggedIn {
  access: string
  expires_in: number
  csrf_token: string
  user: { id: string; username: string; role: string }
}

const NOT_AUTHENTICATED = {
  status: 401,
  body: { error_code: 'NOT_AUTHENTICATED', message: 'You are not logged in.' },
}
const CLEARED = `${COOKIE_NAME}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT`

describe('the browser session', () => {
  let env: TestEnvironment
  let page: BrowserClient

  before(async () => {
    env = await testEnvironment()
  })
  beforeEach(() => {
    page = browserClient(env.signoff)
  })
  after(async () => {
    await env.stop()
  })

  async function loggedIn(client = page): Promise<LoggedIn> {
    const answer = await client.call('/auth/session', { json: { username: 'alice', password: PASSWORD } })
    expect(answer.status, answer.text).to.equal(200)
    return answer.json as LoggedIn
  }
  const csrf = ({ csrf_token }: LoggedIn) => ({ headers: { 'X-CSRF-Token': csrf_token } })
  const refresh = async (login: LoggedIn, client = page) =>
    await client.call('/auth/session/refresh', csrf(login))
  const read = async (client = page) => await client.call('/auth/session', { method: 'GET' })

  describe('POST /auth/session', () => {
    it('answers an access token, the CSRF token and the user, and sets the cookie as agreed', async () => {
      const answer = await page.call('/auth/session', { json: { username: ' ALICE ', password: PASSWORD } })

      const body = answer.json as LoggedIn
      expect(answer.status).to.equal(200)
      expect(body).to.have.all.keys('access', 'expires_in', 'csrf_token', 'user')
      expect(body.expires_in).to.equal(300)
      expect(body.user).to.deep.equal({ id: claimsOf(body.access)['sub'], username: 'alice', role: 'user' })
      expect(answer.headers['set-cookie']).to.equal(
        `${COOKIE_NAME}=${String(await page.cookie())}; Path=/; Secure; HttpOnly; SameSite=Lax`,
      )
      expect(answer.headers['cache-control']).to.equal('no-store')
    })

    it('keeps the refresh token out of the body, and the session the same in both tokens', async () => {
      const answer = await page.call('/auth/session', { json: { username: 'alice', password: PASSWORD } })

      const cookie = (await page.cookie()) ?? ''
      expect(answer.text).not.to.include(cookie)
      expect(claimsOf(cookie)).to.include({ token_type: 'refresh', gen: 0 })
      expect(claimsOf(cookie)['sid']).to.equal(claimsOf((answer.json as LoggedIn).access)['sid'])
    })

    it('answers wrong password and unknown user alike, and sets no cookie', async () => {
      const wrong = await page.call('/auth/session', { json: { username: 'alice', password: 'not hers' } })
      const unknown = await page.call('/auth/session', { json: { username: 'nobody', password: 'not his' } })

      expect(statusAndBody(wrong)).to.deep.equal({
        status: 401,
        body: { error_code: 'NOT_AUTHENTICATED', message: 'Username or password is wrong.' },
      })
      expect(statusAndBody(unknown)).to.deep.equal(statusAndBody(wrong))
      expect(wrong.headers).not.to.have.property('set-cookie')
    })

    for (const { what, options, status, code } of [
      { what: 'an empty body', options: {}, status: 400, code: 'INVALID_REQUEST' },
      { what: 'no password', options: { json: { username: 'alice' } }, status: 400, code: 'INVALID_REQUEST' },
      {
        what: 'a number for a name',
        options: { json: { username: 1, password: PASSWORD } },
        status: 400,
        code: 'INVALID_REQUEST',
      },
      {
        what: 'a password over 4,096 bytes',
        options: { json: { username: 'alice', password: 'p'.repeat(4097) } },
        status: 400,
        code: 'INVALID_REQUEST',
      },
      {
        what: 'malformed JSON',
        options: { body: '{"username":', headers: { 'Content-Type': 'application/json' } },
        status: 400,
        code: 'INVALID_REQUEST',
      },
      {
        what: 'a form, as a foreign page could send it',
        options: { body: new URLSearchParams({ username: 'alice', password: PASSWORD }).toString() },
        status: 415,
        code: 'UNSUPPORTED_MEDIA_TYPE',
      },
      { what: 'GET below it', options: { method: 'GET' }, status: 405, code: 'METHOD_NOT_ALLOWED' },
    ]) {
      it(`answers ${status} ${code} to ${what}`, async () => {
        const path = what === 'GET below it' ? '/auth/session/refresh' : '/auth/session'

        const answer = await page.call(path, options)

        expect(answer.status).to.equal(status)
        expect(answer.json).to.have.all.keys('error_code', 'message')
        expect(answer.json).to.include({ error_code: code })
      })
    }
  })

  describe('GET /auth/session', () => {
    it('tells a page that was just loaded who is logged in', async () => {
      const login = await loggedIn()

      const answer = await read()

      const { csrf_token, user, session } = answer.json as LoggedIn & { session: Record<string, string> }
      expect(answer.status).to.equal(200)
      expect({ csrf_token, user }).to.deep.equal({ csrf_token: login.csrf_token, user: login.user })
      expect(session).to.have.all.keys('id', 'created_at', 'expires_at')
      expect(session['id']).to.equal(claimsOf(login.access)['sid'])
      const lifeMs = Date.parse(session['expires_at'] ?? '') - Date.parse(session['created_at'] ?? '')
      expect(lifeMs).to.be.closeTo(86_400_000, 2000)
    })

    it('works with a trailing slash, and uses nothing up', async () => {
      const login = await loggedIn()
      await page.call('/auth/session/', { method: 'GET' })

      expect((await read()).status).to.equal(200)
      expect((await refresh(login)).status).to.equal(200)
    })

    it('answers 401 without a cookie, with garbage and with an access token in it, and clears nothing', async () => {
      const { access } = await loggedIn(browserClient(env.signoff))
      const answers = [await read()]
      for (const value of ['garbage', access]) {
        await page.setCookie(value)
        answers.push(await read())
      }

      for (const answer of answers) {
        expect(statusAndBody(answer)).to.deep.equal(NOT_AUTHENTICATED)
        expect(answer.headers).not.to.have.property('set-cookie')
      }
    })
  })

  describe('POST /auth/session/refresh', () => {
    it('answers a new access token and replaces the cookie', async () => {
      const login = await loggedIn()
      const before = await page.cookie()

      const answer = await refresh(login)

      expect(answer.status).to.equal(200)
      expect(answer.json).to.have.all.keys('access', 'expires_in')
      expect(await page.cookie()).not.to.equal(before)
      expect(claimsOf((await page.cookie()) ?? '')).to.include({ gen: 1 })
      expect((await refresh(login)).status).to.equal(200)
    })

    it('answers two tabs that refresh at once with the same cookie', async () => {
      const login = await loggedIn()
      const other = browserClient(env.signoff)
      await other.setCookie((await page.cookie()) ?? '')

      const answers = await Promise.all([refresh(login), refresh(login, other)])

      expect(answers.map(({ status }) => status)).to.deep.equal([200, 200])
      expect(await other.cookie()).to.equal(await page.cookie())
    })

    it('answers 401 without a cookie and after a logout, and clears nothing', async () => {
      const login = await loggedIn()
      const copy = browserClient(env.signoff)
      await copy.setCookie((await page.cookie()) ?? '')
      await page.call('/auth/logout', csrf(login))

      const answers = [await refresh(login, browserClient(env.signoff)), await refresh(login, copy)]

      for (const answer of answers) {
        expect(statusAndBody(answer)).to.deep.equal(NOT_AUTHENTICATED)
        expect(answer.headers).not.to.have.property('set-cookie')
      }
    })
  })

  describe('POST /auth/logout with the cookie', () => {
    it('ends the session, clears the cookie with the same attributes, and writes one entry', async () => {
      const login = await loggedIn()
      const copy = browserClient(env.signoff)
      await copy.setCookie((await page.cookie()) ?? '')

      const answer = await page.call('/auth/logout', {
        headers: { ...csrf(login).headers, 'User-Agent': 'a test browser' },
      })

      expect(statusAndBody(answer)).to.deep.equal({ status: 200, body: { message: 'Logout successful' } })
      expect(answer.headers['set-cookie']).to.equal(CLEARED)
      expect(await page.cookie()).to.equal(null)
      expect((await read(copy)).status).to.equal(401)
      const verified = await env.signoff.post('/auth/token/verify/', { token: login.access })
      expect(verified.status).to.equal(401)
      const entries = await env.database.sql(
        `SELECT event_type, user_id, ip_address, user_agent FROM logs WHERE session_id = $1 AND event_type = 'USER_LOGOUT'`,
        [claimsOf(login.access)['sid']],
      )
      expect(entries).to.deep.equal([
        {
          event_type: 'USER_LOGOUT',
          user_id: login.user.id,
          ip_address: '127.0.0.1',
          user_agent: 'a test browser',
        },
      ])
    })

    it('answers 401 the second time, and without any credential', async () => {
      const login = await loggedIn()
      const copy = browserClient(env.signoff)
      await copy.setCookie((await page.cookie()) ?? '')
      await page.call('/auth/logout', csrf(login))

      const again = await copy.call('/auth/logout', csrf(login))
      const nothing = await page.call('/auth/logout')

      expect(statusAndBody(again)).to.deep.equal(NOT_AUTHENTICATED)
      expect(statusAndBody(nothing)).to.deep.equal(NOT_AUTHENTICATED)
      expect(again.headers).not.to.have.property('set-cookie')
    })

    for (const { how, path, json } of [
      { how: 'in the body', path: '/auth/logout', json: { all_devices: true } },
      { how: 'in the query', path: '/auth/logout/?all_devices=true', json: undefined },
    ]) {
      it(`ends every session of the user with all_devices ${how}, and nobody else's`, async () => {
        await env.addUser(`bob-${how.replaceAll(' ', '-')}`)
        const bob = await env.login(`bob-${how.replaceAll(' ', '-')}`)
        const elsewhere = await env.login()
        const login = await loggedIn()

        const answer = await page.call(path, { ...csrf(login), json })

        expect(statusAndBody(answer)).to.deep.equal({ status: 200, body: { message: 'Logout successful' } })
        const refreshOf = async (token: string) =>
          (await env.signoff.post('/auth/token/refresh/', { refresh: token })).status
        expect(await refreshOf(elsewhere.refresh)).to.equal(401)
        expect(await refreshOf(bob.refresh)).to.equal(200)
      })
    }

    it('ends this session only with all_devices false, and refuses what it does not understand', async () => {
      const elsewhere = await env.login()
      const login = await loggedIn()

      const odd = await page.call('/auth/logout', { ...csrf(login), json: { all_devices: 'yes' } })
      const answer = await page.call('/auth/logout', { ...csrf(login), json: { all_devices: false } })

      expect(odd.status).to.equal(400)
      expect(odd.json).to.include({ error_code: 'INVALID_REQUEST' })
      expect(answer.status).to.equal(200)
      const refreshed = await env.signoff.post('/auth/token/refresh/', { refresh: elsewhere.refresh })
      expect(refreshed.status).to.equal(200)
    })

    it('answers 500 LOGOUT_FAILED when the session could not be ended, and keeps the cookie', async () => {
      const login = await loggedIn()
      await env.database.sql(`
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no end'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON user_sessions FOR EACH ROW EXECUTE FUNCTION refuse();`)

      const failed = await page.call('/auth/logout', csrf(login))
      await env.database.sql('DROP TRIGGER refuse ON user_sessions')
      const later = await page.call('/auth/logout', csrf(login))

      expect(statusAndBody(failed)).to.deep.equal({
        status: 500,
        body: { error_code: 'LOGOUT_FAILED', message: 'The session could not be ended. Try again.' },
      })
      expect(failed.headers).not.to.have.property('set-cookie')
      expect(later.status).to.equal(200)
    })

    for (const { what, body, type, status, code } of [
      { what: 'malformed JSON', body: '{', type: 'application/json', status: 400, code: 'INVALID_REQUEST' },
      { what: 'a list', body: '[]', type: 'application/json', status: 400, code: 'INVALID_REQUEST' },
      { what: 'plain text', body: 'x', type: 'text/plain', status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' },
      {
        what: 'more than 16 KiB',
        body: `"${'x'.repeat(17_000)}"`,
        type: 'application/json',
        status: 413,
        code: 'BODY_TOO_LARGE',
      },
    ]) {
      it(`answers ${status} ${code} to ${what}, in its own words`, async () => {
        const login = await loggedIn()

        const answer = await page.call('/auth/logout', {
          body,
          headers: { ...csrf(login).headers, 'Content-Type': type },
        })

        expect(answer.status).to.equal(status)
        expect(answer.json).to.include({ error_code: code })
        expect((await read()).status).to.equal(200)
      })
    }

    it('is the token API where the body names a refresh token, whatever the cookie says', async () => {
      await loggedIn()
      const pair = await env.login()

      const answer = await page.call('/auth/logout/', { json: { refresh_token: pair.refresh } })

      expect(statusAndBody(answer)).to.deep.equal({
        status: 200,
        body: { message: 'Logged out successfully' },
      })
      expect((await read()).status).to.equal(200)
    })
  })
})
