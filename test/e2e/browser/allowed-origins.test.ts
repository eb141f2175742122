// Pages of other origins, of any scheme and under a wildcard: let in by every dialect alike, or by none.
import { expect } from 'chai'
import { browserClient } from '../../support/clients/browser-client.ts'
import { PASSWORD, testEnvironment, type TestEnvironment } from '../../support/service/environment.ts'
import { runSignoff } from '../../support/service/signoff.ts'

const EXTENSION = `chrome-extension://${'abcdefghijklmnop'.repeat(2)}`

describe('ALLOWED_ORIGINS', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment({
      ALLOWED_ORIGINS: [
        'capacitor://localhost',
        'ionic://localhost',
        'tauri://localhost',
        EXTENSION,
        'https://*.example.com',
      ].join(','),
    })
  })
  after(async () => {
    await env.stop()
  })

  const preflight = async (path: string, origin: string) =>
    await env.signoff.call(path, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type',
      },
    })
  const from = (origin: string, site: string) => ({ Origin: origin, 'Sec-Fetch-Site': site })
  const credentials = { username: 'alice', password: PASSWORD }

  for (const origin of [
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    EXTENSION,
    'https://pr-7.example.com',
  ]) {
    it(`lets ${origin} ask what it may send, at every dialect`, async () => {
      for (const path of ['/auth/login/', '/auth/session', '/auth/logout', '/logout', '/api/v1/auth/login']) {
        const answer = await preflight(path, origin)

        expect(answer.status, path).to.equal(204)
        expect(answer.headers, path).to.include({
          'access-control-allow-origin': origin,
          'access-control-allow-credentials': 'true',
          'access-control-allow-headers': 'content-type',
        })
      }
    })

    it(`lets ${origin} log in at the token API, and read the answer`, async () => {
      const answer = await env.signoff.call('/auth/login/', {
        json: credentials,
        headers: from(origin, 'cross-site'),
      })

      expect(answer.status, answer.text).to.equal(200)
      expect(answer.headers).to.include({ 'access-control-allow-origin': origin })
    })

    it(`lets ${origin} act with the session cookie`, async () => {
      const page = browserClient(env.signoff)
      const headers = from(origin, 'same-site')
      const login = await page.call('/auth/session', { json: credentials, headers })
      const csrf = { ...headers, 'X-CSRF-Token': (login.json as { csrf_token: string }).csrf_token }

      const answers = [
        login,
        await page.call('/auth/session', { method: 'GET', headers }),
        await page.call('/auth/session/refresh', { headers: csrf }),
        await page.call('/auth/logout', { headers: csrf }),
      ]

      for (const answer of answers) {
        expect(answer.status, answer.text).to.equal(200)
        expect(answer.headers).to.include({ 'access-control-allow-origin': origin })
      }
    })
  }

  for (const origin of [
    'https://example.com',
    'https://a.b.example.com',
    'https://pr-7.example.com:444',
    'http://pr-7.example.com',
    'https://pr-7.example.com.evil.example',
    'https://evilexample.com',
    'https://*.example.com',
    'https://.example.com',
    'https://evil.example/.example.com',
    'capacitor://localhost:1',
    'capacitor://elsewhere',
    `chrome-extension://${'p'.repeat(32)}`,
    'null',
  ]) {
    it(`keeps ${origin} out, at every dialect`, async () => {
      const asked = await preflight('/auth/login/', origin)
      const login = await env.signoff.call('/auth/login/', {
        json: credentials,
        headers: from(origin, 'cross-site'),
      })
      const session = await env.signoff.call('/auth/session', {
        json: credentials,
        headers: from(origin, 'same-site'),
      })

      expect([login.status, session.status]).to.deep.equal([403, 403])
      for (const { headers } of [asked, login, session]) {
        expect(headers).not.to.have.property('access-control-allow-origin')
      }
    })
  }

  it('stops the service from starting where it can never match, and says what is expected', async () => {
    const { status, stderr } = await runSignoff(['serve'], {
      env: { ALLOWED_ORIGINS: 'https://ok.example.com,https://*,https://app-*.example.com' },
    })

    expect(status).not.to.equal(0)
    expect(stderr).to.match(
      /ALLOWED_ORIGINS: .*https:\/\/\*\.example\.com.* not https:\/\/\*, https:\/\/app-\*\.example\.com/,
    )
  })
})
