// A logout does what it was asked, or nothing and says so: in every dialect, by body and by query.
import { expect } from 'chai'
import { PASSWORD, testEnvironment, type TestEnvironment } from '../support/service/environment.ts'
import type { Answer } from '../support/service/signoff.ts'
import { browserClient } from '../support/clients/browser-client.ts'

/** A session as one dialect holds it: how it asks for a logout, and whether it lives. */
interface Door {
  logout: (request: { query?: string; fields?: Record<string, unknown> }) => Promise<Answer>
  lives: () => Promise<boolean>
}

type DoorName =
  'the token API' | 'the session cookie' | '/api/v1 by Bearer token' | '/api/v1 by refresh token'

const DOORS: DoorName[] = [
  'the token API',
  'the session cookie',
  '/api/v1 by Bearer token',
  '/api/v1 by refresh token',
]

/** What is asked, and which of the three sessions live afterwards, the asking one first; `null`: 400, and all do. */
const CASES: { query?: string; fields?: Record<string, unknown>; left: string | null }[] = [
  { left: 'others' },
  { fields: { scope: 'this' }, left: 'others' },
  { query: '?scope=this&_=1700000000', left: 'others' },
  { fields: { all_devices: false }, left: 'others' },
  { fields: { scope: 'others' }, left: 'this' },
  { query: '?scope=others', left: 'this' },
  { query: '?all_devices=false', fields: { scope: 'others' }, left: 'this' },
  { fields: { scope: 'all' }, left: 'none' },
  { query: '?scope=all', left: 'none' },
  { query: '?all_devices=true', left: 'none' },
  { fields: { all_devices: true }, left: 'none' },
  { query: '?all_devices=true', fields: { scope: 'all', csrf_token: 'x' }, left: 'none' },
  { query: '?scope=global', left: null },
  { fields: { scope: 'Others' }, left: null },
  { fields: { scope: null }, left: null },
  { fields: { scope: ['all'] }, left: null },
  { fields: { allDevices: true }, left: null },
  { query: '?allDevices=true', left: null },
  { query: '?all_devices', left: null },
  { query: '?all-devices=true', left: null },
  { fields: { everywhere: true }, left: null },
  { query: '?scope=this&scope=all', left: null },
  { query: '?scope=this', fields: { scope: 'all' }, left: null },
  { fields: { scope: 'this', all_devices: true }, left: null },
  { fields: { scope: 'all', all_devices: false }, left: null },
  { query: '?all_devices=true', fields: { all_devices: false }, left: null },
]

describe('a logout', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment()
  })
  after(async () => {
    await env.stop()
  })

  const refreshes = async (refresh: string): Promise<boolean> =>
    (await env.signoff.post('/auth/token/refresh/', { refresh })).status === 200
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

  async function door(name: DoorName): Promise<Door> {
    if (name === 'the session cookie') {
      const page = browserClient(env.signoff)
      const login = await page.call('/auth/session', { json: { username: 'alice', password: PASSWORD } })
      const { csrf_token } = login.json as { csrf_token: string }
      return {
        logout: async ({ query = '', fields }) =>
          await page.call(`/auth/logout${query}`, { json: fields, headers: { 'X-CSRF-Token': csrf_token } }),
        lives: async () => (await page.call('/auth/session', { method: 'GET' })).status === 200,
      }
    }
    const { access, refresh } = await env.login()
    const lives = async (): Promise<boolean> => await refreshes(refresh)
    switch (name) {
      case 'the token API':
        return {
          logout: async ({ query = '', fields }) =>
            await env.signoff.post(`/auth/logout/${query}`, { refresh_token: refresh, ...fields }),
          lives,
        }
      case '/api/v1 by Bearer token':
        return {
          logout: async ({ query = '', fields }) =>
            await env.signoff.call(`/api/v1/auth/logout${query}`, { json: fields, headers: bearer(access) }),
          lives,
        }
      case '/api/v1 by refresh token':
        return {
          logout: async ({ query = '', fields }) =>
            await env.signoff.post(`/api/v1/auth/logout${query}`, { refresh_token: refresh, ...fields }),
          lives,
        }
    }
  }

  for (const name of DOORS) {
    describe(`by ${name}`, () => {
      for (const { query = '', fields, left } of CASES) {
        const words = `${query} ${fields ? JSON.stringify(fields) : ''}`.trim() || 'nothing more'
        it(
          left === null ? `refuses ${words}, and ends nothing` : `leaves ${left} alive for ${words}`,
          async () => {
            const [own, one, other] = [await door(name), await door(name), await door('the token API')]

            const answer = await own.logout({ query, ...(fields && { fields }) })

            const alive = { this: await own.lives(), others: [await one.lives(), await other.lives()] }
            expect(answer.status, answer.text).to.be.oneOf(left === null ? [400] : [200, 204])
            const hasOthers = left === null || left === 'others'
            expect(alive).to.deep.equal({
              this: left === null || left === 'this',
              others: [hasOthers, hasOthers],
            })
          },
        )
      }

      it('names what is not known, and what is', async () => {
        const answer = await (await door(name)).logout({ fields: { allDevices: true } })

        expect(answer.text).to.include('allDevices').and.to.include('all_devices, scope')
      })
    })
  }

  it('of other devices keeps the cookie, and is one entry in the log', async () => {
    const page = browserClient(env.signoff)
    const login = await page.call('/auth/session', { json: { username: 'alice', password: PASSWORD } })
    const { csrf_token } = login.json as { csrf_token: string }
    await env.login()
    const headers = { 'X-CSRF-Token': csrf_token }

    const answer = await page.call('/auth/logout?scope=others', { headers })

    expect(answer.status).to.equal(200)
    expect(answer.headers).not.to.have.property('set-cookie')
    const [entry] = await env.database.sql<{ message: string }>(
      `SELECT message FROM logs WHERE event_type = 'USER_LOGOUT' ORDER BY id DESC LIMIT 1`,
    )
    expect(entry?.message).to.equal('other devices')
  })

  it('of others by a token whose session is over ends nothing', async () => {
    const [own, other] = [await env.login(), await env.login()]
    await env.signoff.post('/auth/logout/', { refresh_token: own.refresh })

    const answers = [
      await env.signoff.post('/auth/logout/', { refresh_token: own.refresh, scope: 'others' }),
      await env.signoff.call('/api/v1/auth/logout?scope=others', { headers: bearer(own.access) }),
    ]

    expect(answers.map(({ status }) => status)).to.deep.equal([401, 401])
    expect(await refreshes(other.refresh)).to.equal(true)
  })

  const STRICT: { what: string; ask: (pair: { access: string; refresh: string }) => Promise<Answer> }[] = [
    {
      what: 'POST /logout with a body that asks for more',
      ask: async ({ access }) =>
        await env.signoff.call('/logout', { json: { all_devices: true }, headers: bearer(access) }),
    },
    {
      what: 'POST /logout with a query that asks for more',
      ask: async ({ access }) => await env.signoff.call('/logout?scope=all', { headers: bearer(access) }),
    },
    {
      what: 'POST /auth/token/blacklist/ that asks for more',
      ask: async ({ refresh }) =>
        await env.signoff.post('/auth/token/blacklist/?all_devices=true', { refresh }),
    },
    {
      what: 'DELETE sessions/{id} that asks for more',
      ask: async ({ access }) =>
        await env.signoff.call('/api/v1/auth/sessions/0?scope=others', {
          method: 'DELETE',
          headers: bearer(access),
        }),
    },
    {
      what: 'PUT password that asks for more',
      ask: async ({ access }) =>
        await env.signoff.call('/api/v1/auth/password', {
          method: 'PUT',
          json: { current_password: PASSWORD, new_password: 'another long password', keep: 'all' },
          headers: bearer(access),
        }),
    },
    {
      what: 'DELETE me that asks for less',
      ask: async ({ access }) =>
        await env.signoff.call('/api/v1/auth/me', {
          method: 'DELETE',
          json: { password: PASSWORD, dry_run: true },
          headers: bearer(access),
        }),
    },
  ]
  for (const { what, ask } of STRICT) {
    it(`refuses ${what}, and ends nothing`, async () => {
      const pair = await env.login()

      const answer = await ask(pair)

      expect(answer.status, answer.text).to.equal(400)
      expect(answer.text).to.include('not known')
      expect(await refreshes(pair.refresh)).to.equal(true)
    })
  }

  it('takes CSRF fields and cache busters for what they are: no instruction', async () => {
    const { access } = await env.login()

    const answer = await env.signoff.call('/logout?_=1&csrf_token=x', {
      json: { csrfmiddlewaretoken: 'x' },
      headers: bearer(access),
    })

    expect(answer.status).to.equal(200)
  })

  interface Pairs {
    own: { access: string; refresh: string }
    other: { access: string; refresh: string }
  }
  const MISNAMED: { what: string; ask: (pairs: Pairs) => Promise<Answer> }[] = [
    {
      what: '/api/v1 logout with another token under a name that is not its own',
      ask: async ({ own, other }) =>
        await env.signoff.call('/api/v1/auth/logout', {
          json: { refresh: other.refresh },
          headers: bearer(own.access),
        }),
    },
    {
      what: '/api/v1 logout with another token in the query',
      ask: async ({ own, other }) =>
        await env.signoff.call(`/api/v1/auth/logout?refresh_token=${other.refresh}`, {
          headers: bearer(own.access),
        }),
    },
    {
      what: 'the bearer logout with another token in its body',
      ask: async ({ own, other }) =>
        await env.signoff.call('/logout', { json: { token: other.access }, headers: bearer(own.access) }),
    },
    {
      what: 'the logout of the token API with two tokens',
      ask: async ({ own, other }) =>
        await env.signoff.post('/auth/logout/', { refresh_token: own.refresh, refresh: other.refresh }),
    },
    {
      what: 'the blacklisting of two tokens',
      ask: async ({ own, other }) =>
        await env.signoff.post('/auth/token/blacklist/', {
          refresh: own.refresh,
          refresh_token: other.refresh,
        }),
    },
    {
      what: 'a form that says the scope twice',
      ask: async ({ own }) =>
        await env.signoff.call('/auth/logout/', {
          body: `refresh_token=${own.refresh}&scope=all&scope=this`,
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        }),
    },
    {
      what: 'a form that names two tokens',
      ask: async ({ own, other }) =>
        await env.signoff.call('/auth/logout/', {
          body: `refresh_token=${other.refresh}&refresh_token=${own.refresh}`,
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        }),
    },
  ]
  for (const { what, ask } of MISNAMED) {
    it(`refuses ${what}, and ends neither`, async () => {
      const pairs = { own: await env.login(), other: await env.login() }

      const answer = await ask(pairs)

      expect(answer.status, answer.text).to.equal(400)
      expect([await refreshes(pairs.own.refresh), await refreshes(pairs.other.refresh)]).to.deep.equal([
        true,
        true,
      ])
    })
  }
})
