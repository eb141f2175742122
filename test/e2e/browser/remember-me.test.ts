// A cookie that outlives the browser, where the page asks for it; and the SameSite that the operator chooses.
import { expect } from 'chai'
import { browserClient, COOKIE_NAME, type BrowserClient } from '../../support/clients/browser-client.ts'
import {
  claimsOf,
  PASSWORD,
  testEnvironment,
  type TestEnvironment,
} from '../../support/service/environment.ts'
import type { Answer } from '../../support/service/signoff.ts'
import { runSignoff } from '../../support/service/signoff.ts'

/** Several days, so that no other number of seconds is taken for it. */
const REFRESH_TOKEN_TTL = 500_000
const SESSION_COOKIE = `; Path=/; Secure; HttpOnly; SameSite=Lax`

const cookieOf = ({ headers }: Answer): string => headers['set-cookie'] ?? ''
const attributesOf = (answer: Answer): string => cookieOf(answer).replace(/^[^;]*/, '')
const valueOf = (answer: Answer): string =>
  cookieOf(answer).slice(`${COOKIE_NAME}=`.length).split(';')[0] ?? ''
const csrfOf = ({ json }: Answer) => ({ 'X-CSRF-Token': (json as { csrf_token: string }).csrf_token })

describe('remember_me', () => {
  let env: TestEnvironment
  let page: BrowserClient

  before(async () => {
    env = await testEnvironment({ REFRESH_TOKEN_TTL: String(REFRESH_TOKEN_TTL), ROTATION_GRACE: '300' })
  })
  beforeEach(() => {
    page = browserClient(env.signoff)
  })
  after(async () => {
    await env.stop()
  })

  const login = async (more: object = {}) =>
    await page.call('/auth/session', { json: { username: 'alice', password: PASSWORD, ...more } })
  const refresh = async (headers: Record<string, string>) =>
    await page.call('/auth/session/refresh', { headers })

  /** Of the cookie just set: what is left of the token in it, give or take the time that the answer took. */
  function expectKept(answer: Answer): void {
    expect(answer.status, answer.text).to.equal(200)
    const [, attributes, maxAge] = /^(.*); Max-Age=(\d+)$/.exec(attributesOf(answer)) ?? []
    expect(attributes, cookieOf(answer)).to.equal(SESSION_COOKIE)
    const leftSeconds = Number(claimsOf(valueOf(answer))['exp']) - Date.now() / 1000
    expect(Number(maxAge)).to.be.within(leftSeconds - 1, leftSeconds + 60)
    expect(Number(maxAge)).to.be.at.most(REFRESH_TOKEN_TTL)
  }

  it('keeps the cookie for as long as its refresh token lives, through every rotation', async () => {
    const answer = await login({ remember_me: true })

    expectKept(answer)
    for (let generation = 1; generation <= 3; generation++) {
      const refreshed = await refresh(csrfOf(answer))
      expectKept(refreshed)
      expect(claimsOf(valueOf(refreshed))).to.include({ gen: generation })
    }
  })

  it('gives two tabs that refresh at once the same cookie, both of them kept', async () => {
    const answer = await login({ remember_me: true })
    const other = browserClient(env.signoff)
    await other.setCookie(valueOf(answer))
    const headers = csrfOf(answer)

    const answers = await Promise.all([refresh(headers), other.call('/auth/session/refresh', { headers })])

    answers.forEach(expectKept)
    expect(new Set(answers.map(valueOf)).size).to.equal(1)
  })

  for (const more of [{}, { remember_me: false }]) {
    it(`lets the cookie end with the browser with ${JSON.stringify(more)}, through every rotation`, async () => {
      const answer = await login(more)
      const refreshed = await refresh(csrfOf(answer))

      expect([answer, refreshed].map(attributesOf)).to.deep.equal([SESSION_COOKIE, SESSION_COOKIE])
    })
  }

  it('is that of each login: one without it makes a cookie that ends with the browser again', async () => {
    await login({ remember_me: true })
    const answer = await login()

    expect(attributesOf(answer)).to.equal(SESSION_COOKIE)
  })

  it('is refused where it is neither true nor false, and nothing begins', async () => {
    for (const remember_me of ['true', 'yes', '', 1, 0, null, [], {}]) {
      const answer = await login({ remember_me })

      expect(answer.status, JSON.stringify(remember_me)).to.equal(400)
      expect(answer.json).to.deep.equal({
        error_code: 'INVALID_REQUEST',
        message: 'remember_me: true or false is expected.',
      })
      expect(answer.headers).not.to.have.property('set-cookie')
    }
  })

  it('is taken back by a logout', async () => {
    const answer = await login({ remember_me: true })

    const logout = await page.call('/auth/logout', { headers: csrfOf(answer) })

    expect(logout.status).to.equal(200)
    expect(attributesOf(logout)).to.equal(
      `${SESSION_COOKIE}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT`,
    )
    expect(await page.cookie()).to.equal(null)
  })
})

describe('SESSION_COOKIE_SAMESITE', () => {
  for (const { setting, attribute } of [
    { setting: 'lax', attribute: 'Lax' },
    { setting: 'strict', attribute: 'Strict' },
    { setting: 'none', attribute: 'None' },
  ]) {
    it(`${setting} is what the cookie is set, rotated and cleared with`, async () => {
      const env = await testEnvironment({ SESSION_COOKIE_SAMESITE: setting })
      try {
        const page = browserClient(env.signoff)
        const json = { username: 'alice', password: PASSWORD, remember_me: true }
        const login = await page.call('/auth/session', { json })
        const headers = csrfOf(login)
        const answers = [
          login,
          await page.call('/auth/session/refresh', { headers }),
          await page.call('/auth/logout', { headers }),
        ]

        for (const answer of answers) {
          expect(attributesOf(answer)).to.match(
            new RegExp(`^; Path=/; Secure; HttpOnly; SameSite=${attribute}; Max-Age=`),
          )
        }
      } finally {
        await env.stop()
      }
    })
  }

  it('stops the service from starting where it is none of the three', async () => {
    const { status, stderr } = await runSignoff(['serve'], { env: { SESSION_COOKIE_SAMESITE: 'Lax' } })

    expect(status).not.to.equal(0)
    expect(stderr).to.include('SESSION_COOKIE_SAMESITE: lax, strict or none is expected')
  })
})
