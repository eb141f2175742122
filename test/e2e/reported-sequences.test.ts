// Sequences of requests that once ended wrong, as they were reported: each whole, from its first step to its last.
import { expect } from 'chai'
import { browserClient, COOKIE_NAME, type BrowserClient } from '../support/clients/browser-client.ts'
import { claimsOf, PASSWORD, testEnvironment, type TestEnvironment } from '../support/service/environment.ts'
import { rotatedLongAgo } from '../support/service/rotated-long-ago.ts'
import {
  runSignoff,
  startSignoff,
  type Answer,
  type CallOptions,
  type Signoff,
} from '../support/service/signoff.ts'

interface V1Pair {
  access_token: string
  refresh_token: string
}

interface BrowserLogin {
  access: string
  csrf_token: string
}

const CREDENTIALS = { username: 'alice', password: PASSWORD }
const EXTENSION = `chrome-extension://${'abcdefghijklmnop'.repeat(2)}`

describe('a reported sequence', () => {
  let env: TestEnvironment
  let others: Signoff[]

  before(async () => {
    env = await testEnvironment()
    await env.addUser('bob')
  })
  after(async () => {
    await env.stop()
  })
  beforeEach(() => {
    others = []
  })
  afterEach(async () => {
    for (const signoff of others) await signoff.stop()
  })

  /** A service of its own, beside the first one. */
  const started = async (settings: Record<string, string>): Promise<Signoff> => {
    const signoff = await startSignoff({
      databaseUrl: env.database.url,
      redisUrl: env.redis.url,
      env: settings,
    })
    others.push(signoff)
    return signoff
  }
  const v1Login = async (): Promise<V1Pair> =>
    (await env.signoff.post('/api/v1/auth/login', CREDENTIALS)).json as V1Pair
  const v1Refresh = async (refresh_token: string): Promise<Answer> =>
    await env.signoff.post('/api/v1/auth/refresh', { refresh_token })
  /** What a gateway is told of an access token. */
  const check = async (access: string): Promise<number> =>
    (await env.signoff.call('/auth/check', { method: 'GET', headers: { Authorization: `Bearer ${access}` } }))
      .status

  it('of a client that lost the answer to a rotation, and asks again after the grace, keeps its session', async () => {
    const first = await v1Login()
    const lost = (await v1Refresh(first.refresh_token)).json as V1Pair
    await rotatedLongAgo(env.database, first.refresh_token)

    const again = await v1Refresh(first.refresh_token)

    expect(again.status, again.text).to.equal(200)
    expect((again.json as V1Pair).refresh_token).to.equal(lost.refresh_token)
    expect(await check(first.access_token)).to.equal(200)
    expect((await v1Refresh(lost.refresh_token)).status).to.equal(200)
  })

  it('of a client that comes back after the grace, when its successor was presented, ends the session', async () => {
    const first = await v1Login()
    const second = (await v1Refresh(first.refresh_token)).json as V1Pair
    const third = (await v1Refresh(second.refresh_token)).json as V1Pair
    await rotatedLongAgo(env.database, first.refresh_token)

    const again = await v1Refresh(first.refresh_token)

    expect(again.status, again.text).to.equal(401)
    expect((await v1Refresh(third.refresh_token)).status).to.equal(401)
    expect(await check(third.access_token)).to.equal(401)
  })

  describe('of three logins and a logout of the first does what it was asked for, or nothing:', () => {
    const others = [200, 401, 401]
    const all = [401, 401, 401]
    const none = [200, 200, 200]
    const cases: { what: string; query?: string; body?: CallOptions; status: number; live: number[] }[] = [
      { what: '?scope=others', query: '?scope=others', status: 204, live: others },
      { what: '{"scope":"others"}', body: { json: { scope: 'others' } }, status: 204, live: others },
      { what: '?scope=global', query: '?scope=global', status: 400, live: none },
      { what: '?all_devices=true', query: '?all_devices=true', status: 204, live: all },
      { what: '{"allDevices":true}', body: { json: { allDevices: true } }, status: 400, live: none },
    ]
    for (const { what, query = '', body = {}, status, live } of cases) {
      it(what, async () => {
        const [a, b, c] = [await v1Login(), await v1Login(), await v1Login()]

        const answer = await env.signoff.call(`/api/v1/auth/logout${query}`, {
          headers: { Authorization: `Bearer ${a.access_token}` },
          ...body,
        })

        expect(answer.status, answer.text).to.equal(status)
        expect([
          await check(a.access_token),
          await check(b.access_token),
          await check(c.access_token),
        ]).to.deep.equal(live)
      })
    }
  })

  describe('of a second login in a browser that has a session', () => {
    let page: BrowserClient
    let first: BrowserLogin
    let firstCookie: string

    beforeEach(async () => {
      page = browserClient(env.signoff)
      first = (await page.call('/auth/session', { json: CREDENTIALS })).json as BrowserLogin
      firstCookie = (await page.cookie()) ?? ''
    })

    const withFirstCookie = async (path: string, options: CallOptions = {}): Promise<number> => {
      const headers = { Cookie: `${COOKIE_NAME}=${firstCookie}`, ...options.headers }
      return (await env.signoff.call(path, { ...options, headers })).status
    }

    for (const username of ['alice', 'bob']) {
      it(`leaves nothing alive after a login of ${username} and a logout`, async () => {
        const login = await page.call('/auth/session', { json: { username, password: PASSWORD } })
        const second = login.json as BrowserLogin
        const logout = await page.call('/auth/logout', { headers: { 'X-CSRF-Token': second.csrf_token } })

        expect([login.status, logout.status]).to.deep.equal([200, 200])
        expect(await withFirstCookie('/auth/session', { method: 'GET' })).to.equal(401)
        const csrf = { headers: { 'X-CSRF-Token': first.csrf_token } }
        expect(await withFirstCookie('/auth/session/refresh', csrf)).to.equal(401)
        expect(await check(first.access)).to.equal(401)
        expect(await check(second.access)).to.equal(401)
      })
    }

    it('leaves the session alone where that login fails', async () => {
      const failed = await page.call('/auth/session', { json: { ...CREDENTIALS, password: 'wrong' } })

      expect(failed.status).to.equal(401)
      expect(await withFirstCookie('/auth/session', { method: 'GET' })).to.equal(200)
      expect(await check(first.access)).to.equal(200)
    })
  })

  const preflight = async (signoff: Signoff, origin: string): Promise<Answer> =>
    await signoff.call('/auth/login/', {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
    })

  for (const origins of [['capacitor://localhost'], ['ionic://localhost', 'tauri://localhost', EXTENSION]]) {
    it(`of pages at ${origins.join(' and ')} starts, and lets them log in`, async () => {
      const signoff = await started({ ALLOWED_ORIGINS: origins.join(',') })
      for (const origin of origins) {
        const asked = await preflight(signoff, origin)
        const answer = await signoff.call('/auth/login/', {
          json: CREDENTIALS,
          headers: { Origin: origin, 'Sec-Fetch-Site': 'cross-site' },
        })

        expect(asked.status, origin).to.equal(204)
        expect(asked.headers).to.include({ 'access-control-allow-origin': origin })
        expect(answer.status, answer.text).to.equal(200)
        expect(answer.headers).to.include({ 'access-control-allow-origin': origin })
      }
    })
  }

  it('of a wildcard in ALLOWED_ORIGINS starts where it can match, and matches', async () => {
    const signoff = await started({ ALLOWED_ORIGINS: 'https://*.example.com' })

    const answer = await preflight(signoff, 'https://pr-7.example.com')

    expect(answer.status).to.equal(204)
    expect(answer.headers).to.include({ 'access-control-allow-origin': 'https://pr-7.example.com' })
  })

  for (const origins of ['https://*', 'https://app-*.example.com']) {
    it(`of ALLOWED_ORIGINS=${origins}, which can match nothing, does not start, and says so`, async () => {
      const { status, stderr } = await runSignoff(['serve'], { env: { ALLOWED_ORIGINS: origins } })

      expect(status).to.not.equal(0)
      expect(stderr).to.match(/ALLOWED_ORIGINS: .*are expected/)
      expect(stderr).to.include(`not ${origins}`)
    })
  }

  it('of a login with remember_me keeps the cookie for as long as its session, through every rotation', async () => {
    const page = browserClient(env.signoff)

    const login = await page.call('/auth/session', { json: { ...CREDENTIALS, remember_me: true } })
    const { csrf_token } = login.json as BrowserLogin
    const answers = [login]
    for (let rotation = 0; rotation < 3; rotation += 1) {
      answers.push(await page.call('/auth/session/refresh', { headers: { 'X-CSRF-Token': csrf_token } }))
    }

    const seen = new Set<string>()
    for (const { status, headers, text } of answers) {
      expect(status, text).to.equal(200)
      const [, value = '', maxAge] =
        new RegExp(`^${COOKIE_NAME}=([^;]+);.*; Max-Age=(\\d+)`).exec(headers['set-cookie'] ?? '') ?? []
      const leftSeconds = Number(claimsOf(value)['exp']) - Date.now() / 1000
      expect(Number(maxAge), headers['set-cookie']).to.be.within(leftSeconds - 1, leftSeconds + 60)
      seen.add(value)
    }
    expect(seen.size).to.equal(answers.length)
  })
})
