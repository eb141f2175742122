// MAX_SESSIONS_PER_USER: whichever dialect the login speaks, the oldest session makes room, at once and everywhere.
import { expect } from 'chai'
import { claimsOf, PASSWORD, testEnvironment, type TestEnvironment } from '../support/service/environment.ts'

const BOUND = 2

describe('a login beyond MAX_SESSIONS_PER_USER', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment({ MAX_SESSIONS_PER_USER: String(BOUND), REGISTRATION: 'open' })
  })
  after(async () => {
    await env.stop()
  })

  const credentials = (username: string) => ({ username, password: PASSWORD })
  /** Each resolves to the access token. */
  const LOGINS: Record<string, (username: string) => Promise<string>> = {
    'the token API': async (username) => (await env.login(username)).access,
    'a browser': async (username) => {
      const { json } = await env.signoff.post('/auth/session', credentials(username))
      return (json as { access: string }).access
    },
    '/api/v1': async (username) => {
      const { json } = await env.signoff.post('/api/v1/auth/login', credentials(username))
      return (json as { access_token: string }).access_token
    },
  }

  const isLive = async (token: string) =>
    (await env.signoff.post('/auth/token/verify/', { token })).status === 200

  for (const [name, login] of Object.entries(LOGINS)) {
    it(`of ${name} ends the oldest session, and leaves the others`, async () => {
      const username = name.replace(/\W/g, '')
      await env.addUser(username)
      const tokens: string[] = []
      for (let count = 0; count <= BOUND; count++) tokens.push(await login(username))

      expect(await Promise.all(tokens.map(isLive))).to.deep.equal([false, true, true])
    })
  }

  it('counts the session of a registration', async () => {
    const { json } = await env.signoff.post('/api/v1/auth/register', credentials('dave'))
    const first = (json as { access_token: string }).access_token
    for (let count = 0; count < BOUND; count++) await env.login('dave')

    expect(await isLive(first)).to.equal(false)
  })

  it('leaves a denial in Redis and a reason in the database', async () => {
    await env.addUser('erin')
    const oldest = claimsOf((await env.login('erin')).access)['sid'] as string
    for (let count = 0; count < BOUND; count++) await env.login('erin')

    const [row] = await env.database.sql<{ reason: string }>(
      'SELECT end_reason AS reason FROM user_sessions WHERE id = $1',
      [oldest],
    )
    expect(row?.reason).to.equal('too_many_sessions')
    expect(await env.redis.client.get(`denylist:{${oldest.slice(-2)}}:${oldest}`)).to.equal('1')
  })
})
