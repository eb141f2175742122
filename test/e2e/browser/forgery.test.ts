// What a foreign page, a stolen header or a wrong cookie can do with a visitor's session: nothing.
import { expect } from 'chai'
import { browserClient, COOKIE_NAME, type BrowserClient } from '../../support/clients/browser-client.ts'
import { PASSWORD, testEnvironment, type TestEnvironment } from '../../support/service/environment.ts'
import type { Answer } from '../../support/service/signoff.ts'

const FRIEND = 'https://app.example.com'

describe('forged requests with a session cookie', () => {
  let env: TestEnvironment
  let page: BrowserClient
  let csrfToken: string

  before(async () => {
    env = await testEnvironment({ ALLOWED_ORIGINS: FRIEND })
  })
  beforeEach(async () => {
    page = browserClient(env.signoff)
    csrfToken = await loggedIn(page)
  })
  after(async () => {
    await env.stop()
  })

  async function loggedIn(client: BrowserClient): Promise<string> {
    const answer = await client.call('/auth/session', { json: { username: 'alice', password: PASSWORD } })
    return (answer.json as { csrf_token: string }).csrf_token
  }

  /** Refused with 401 or 403, and the session goes on as if nothing had been asked. */
  async function expectNothing(answer: Answer, status: number): Promise<void> {
    expect(answer.status).to.equal(status)
    expect(answer.json).to.include({ error_code: status === 403 ? 'CSRF_FAILED' : 'NOT_AUTHENTICATED' })
    expect(answer.headers).not.to.have.property('set-cookie')
    expect(answer.headers).not.to.have.property('access-control-allow-origin')
    const still = await page.call('/auth/session/refresh', { headers: { 'X-CSRF-Token': csrfToken } })
    expect(still.status, still.text).to.equal(200)
  }

  const endpoints = ['/auth/logout', '/auth/logout?all_devices=true', '/auth/session/refresh']

  for (const path of endpoints) {
    it(`refuses a form posted from another site to ${path}`, async () => {
      const answer = await page.call(path, {
        body: '',
        headers: {
          'Content-Type': 'application/x-www-form-urlencoded',
          Origin: 'https://evil.example',
          'Sec-Fetch-Site': 'cross-site',
        },
      })

      await expectNothing(answer, 403)
    })

    it(`refuses a foreign Origin at ${path}, right token or not`, async () => {
      for (const origin of ['https://evil.example', 'null', `${FRIEND}.evil.example`, 'http://localhost']) {
        const headers = { Origin: origin, 'X-CSRF-Token': csrfToken }
        await expectNothing(await page.call(path, { headers }), 403)
      }
    })

    it(`refuses Sec-Fetch-Site of a foreign and of a neighbouring site at ${path}`, async () => {
      for (const site of ['cross-site', 'same-site']) {
        const headers = { 'Sec-Fetch-Site': site, 'X-CSRF-Token': csrfToken }
        await expectNothing(await page.call(path, { headers }), 403)
      }
    })

    it(`refuses ${path} without the token, and with that of another session`, async () => {
      const foreign = await loggedIn(browserClient(env.signoff))

      for (const headers of [{}, { 'X-CSRF-Token': '' }, { 'X-CSRF-Token': foreign }]) {
        await expectNothing(await page.call(path, { headers }), 403)
      }
    })

    it(`refuses a cookie under another name at ${path}, as another host could set it`, async () => {
      const cookie = (await page.cookie()) ?? ''

      for (const name of ['signoff', `x${COOKIE_NAME}`, '__Secure-signoff']) {
        const headers = { Cookie: `${name}=${cookie}`, 'X-CSRF-Token': csrfToken }
        await expectNothing(await env.signoff.call(path, { headers }), 401)
      }
    })
  }

  it('refuses to log a visitor in from a foreign page', async () => {
    const answer = await browserClient(env.signoff).call('/auth/session', {
      json: { username: 'alice', password: PASSWORD },
      headers: { Origin: 'https://evil.example' },
    })

    await expectNothing(answer, 403)
  })

  it('serves its own pages', async () => {
    const headers = { Origin: env.signoff.url, 'Sec-Fetch-Site': 'same-origin', 'X-CSRF-Token': csrfToken }

    const answer = await page.call('/auth/session/refresh', { headers })

    expect(answer.status).to.equal(200)
  })

  describe('pages of ALLOWED_ORIGINS', () => {
    it('may act, with credentials', async () => {
      const headers = { Origin: FRIEND, 'Sec-Fetch-Site': 'same-site', 'X-CSRF-Token': csrfToken }

      const answer = await page.call('/auth/session/refresh', { headers })

      expect(answer.status).to.equal(200)
      expect(answer.headers).to.include({
        'access-control-allow-origin': FRIEND,
        'access-control-allow-credentials': 'true',
      })
    })

    it('hear in a preflight what they may send', async () => {
      const answer = await env.signoff.call('/auth/session/refresh', {
        method: 'OPTIONS',
        headers: {
          Origin: FRIEND,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'x-csrf-token,content-type',
        },
      })

      expect(answer.status).to.equal(204)
      expect(answer.headers).to.include({
        'access-control-allow-origin': FRIEND,
        'access-control-allow-credentials': 'true',
        'access-control-allow-headers': 'x-csrf-token,content-type',
      })
    })

    it('are the only ones', async () => {
      const answer = await env.signoff.call('/auth/session/refresh', {
        method: 'OPTIONS',
        headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
      })

      expect(answer.headers).not.to.have.property('access-control-allow-origin')
    })
  })

  it('never lets credentials go with the wildcard of the published keys', async () => {
    for (const origin of [FRIEND, 'https://evil.example']) {
      const answer = await env.signoff.call('/.well-known/jwks.json', {
        method: 'GET',
        headers: { Origin: origin },
      })

      expect(answer.headers['access-control-allow-origin']).to.equal('*')
      expect(answer.headers).not.to.have.property('access-control-allow-credentials')
    }
  })
})
