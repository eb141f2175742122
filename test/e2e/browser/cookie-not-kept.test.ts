// A login whose cookie no browser would keep: it is told so, with the cure, and nothing begins.
import { expect } from 'chai'
import {
  PASSWORD,
  statusAndBody,
  testEnvironment,
  type TestEnvironment,
} from '../../support/service/environment.ts'

const FRIEND = 'https://app.example.com'
const COOKIE_NOT_KEPT = {
  status: 403,
  body: {
    error_code: 'COOKIE_NOT_KEPT',
    message:
      'The page is of another site, and for it a browser keeps the session cookie only with SESSION_COOKIE_SAMESITE=none. Set that, or serve the page from the site of this service.',
  },
}

async function loginFrom(env: TestEnvironment, headers: Record<string, string>, password = PASSWORD) {
  return await env.signoff.call('/auth/session', { json: { username: 'alice', password }, headers })
}

for (const setting of ['lax', 'strict']) {
  describe(`a login from a page of another site with SESSION_COOKIE_SAMESITE=${setting}`, () => {
    let env: TestEnvironment

    before(async () => {
      env = await testEnvironment({ ALLOWED_ORIGINS: FRIEND, SESSION_COOKIE_SAMESITE: setting })
    })
    after(async () => {
      await env.stop()
    })

    it('is told that its cookie would not be kept, in an answer that the page can read', async () => {
      for (const password of [PASSWORD, 'not hers']) {
        const answer = await loginFrom(env, { Origin: FRIEND, 'Sec-Fetch-Site': 'cross-site' }, password)

        expect(statusAndBody(answer)).to.deep.equal(COOKIE_NOT_KEPT)
        expect(answer.headers).to.include({ 'access-control-allow-origin': FRIEND })
        expect(answer.headers).not.to.have.property('set-cookie')
      }
      expect(await env.database.sql('SELECT id FROM user_sessions')).to.deep.equal([])
      expect(await env.database.sql(`SELECT id FROM logs WHERE event_type LIKE 'USER_LOGIN%'`)).to.deep.equal(
        [],
      )
    })

    it('is told CSRF_FAILED where its origin is not allowed', async () => {
      const answer = await loginFrom(env, {
        Origin: 'https://evil.example',
        'Sec-Fetch-Site': 'cross-site',
      })

      expect(answer.status).to.equal(403)
      expect(answer.json).to.include({ error_code: 'CSRF_FAILED' })
    })

    it('succeeds on the same site, from this host, and for programs that are no browsers', async () => {
      for (const headers of [
        { Origin: FRIEND, 'Sec-Fetch-Site': 'same-site' },
        { Origin: env.signoff.url, 'Sec-Fetch-Site': 'same-origin' },
        { Origin: FRIEND },
        {},
      ]) {
        const answer = await loginFrom(env, headers)

        expect(answer.status, JSON.stringify(headers)).to.equal(200)
        expect(answer.headers).to.have.property('set-cookie')
      }
    })
  })
}

describe('a login from a page of another site with SESSION_COOKIE_SAMESITE=none', () => {
  it('succeeds, and may act with the cookie', async () => {
    const env = await testEnvironment({ ALLOWED_ORIGINS: FRIEND, SESSION_COOKIE_SAMESITE: 'none' })
    try {
      const headers = { Origin: FRIEND, 'Sec-Fetch-Site': 'cross-site' }
      const login = await loginFrom(env, headers)
      const [cookie = ''] = (login.headers['set-cookie'] ?? '').split(';')
      const { csrf_token } = login.json as { csrf_token: string }

      const refreshed = await env.signoff.call('/auth/session/refresh', {
        headers: { ...headers, Cookie: cookie, 'X-CSRF-Token': csrf_token },
      })

      expect([login.status, refreshed.status]).to.deep.equal([200, 200])
    } finally {
      await env.stop()
    }
  })
})
