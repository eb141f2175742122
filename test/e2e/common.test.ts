// What holds for every request, whatever the endpoint; and the endpoints of peers and operators.
import { expect } from 'chai'
import { request } from 'undici'
import {
  PASSWORD,
  statusAndBody,
  testEnvironment,
  type TestEnvironment,
} from '../support/service/environment.ts'

describe('every request', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment({ ALLOWED_ORIGINS: 'https://app.example, https://other.example' })
  })
  after(async () => {
    await env.stop()
  })

  const get = async (path: string, headers: Record<string, string> = {}) =>
    await env.signoff.call(path, { method: 'GET', headers })

  it('reaches the same answer with and without the trailing slash', async () => {
    const { refresh } = await env.login()
    const bare = await env.signoff.post('/auth/token/refresh', { refresh })
    const slash = await env.signoff.post('/auth/token/refresh/', { refresh })
    const operators = await Promise.all(['/healthz', '/healthz/', '/readyz/'].map((path) => get(path)))

    expect([bare, slash, ...operators].map(({ status }) => status)).to.deep.equal([200, 200, 200, 200, 200])
  })

  it('may be a HEAD where it may be a GET', async () => {
    const answer = await env.signoff.call('/healthz', { method: 'HEAD' })

    expect([answer.status, answer.text]).to.deep.equal([200, ''])
  })

  it('is told 404 for a path that leads nowhere', async () => {
    for (const path of [
      '/',
      '/auth',
      '/auth/login/more',
      '/AUTH/LOGIN/',
      '/%00',
      '/auth/%ff',
      '//auth/login/',
    ]) {
      expect(statusAndBody(await get(path)), path).to.deep.equal({
        status: 404,
        body: { detail: 'Not found.' },
      })
    }
  })

  it('carries a request id: the caller’s own when that is sane', async () => {
    const own = await get('/healthz', { 'X-Request-Id': 'abc-123' })
    const insane = await get('/healthz', { 'X-Request-Id': 'a b\tc' })
    const long = await get('/healthz', { 'X-Request-Id': 'x'.repeat(129) })

    expect(own.headers['x-request-id']).to.equal('abc-123')
    for (const answer of [insane, long]) expect(answer.headers['x-request-id']).to.match(/^[0-9a-f-]{36}$/)
  })

  it('carries the security headers, errors included', async () => {
    for (const path of ['/healthz', '/nowhere']) {
      const { headers } = await get(path)
      expect(headers['strict-transport-security']).to.contain('max-age=31536000')
      expect(headers['x-content-type-options']).to.equal('nosniff')
      expect(headers['content-security-policy']).to.contain("default-src 'none'")
      expect(headers).to.not.have.property('x-powered-by')
    }
  })

  it('may come from a page of an allowed origin, and of no other', async () => {
    const preflight = {
      method: 'OPTIONS',
      headers: { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' },
    }
    const allowed = await env.signoff.call('/auth/login/', {
      ...preflight,
      headers: { ...preflight.headers, Origin: 'https://other.example' },
    })
    const foreign = await env.signoff.call('/auth/login/', {
      ...preflight,
      headers: { ...preflight.headers, Origin: 'https://evil.example' },
    })

    expect(allowed.status).to.equal(204)
    expect(allowed.headers['access-control-allow-origin']).to.equal('https://other.example')
    expect(foreign.headers).to.not.have.property('access-control-allow-origin')
  })

  it('is told the methods of a path when it is OPTIONS and no preflight', async () => {
    const cases = {
      '/auth/login/': 'POST, OPTIONS',
      '/auth/token/refresh': 'POST, OPTIONS',
      '/auth/session': 'POST, GET, HEAD, OPTIONS',
      '/api/v1/auth/me': 'GET, HEAD, DELETE, OPTIONS',
      '/docs': 'GET, HEAD, OPTIONS',
    }
    for (const [path, allow] of Object.entries(cases)) {
      for (const headers of [{}, { Origin: 'https://other.example' }]) {
        const answer = await env.signoff.call(path, { method: 'OPTIONS', headers })
        expect([answer.status, answer.text, answer.headers['allow']], path).to.deep.equal([204, '', allow])
      }
    }
    expect((await env.signoff.call('/nowhere', { method: 'OPTIONS' })).status).to.equal(404)
  })

  it('is answered JSON without a charset, errors included', async () => {
    const types = await Promise.all(
      [
        get('/healthz'),
        get('/nowhere'),
        get('/openapi.json'),
        get('/.well-known/jwks.json'),
        get('/.well-known/oauth-authorization-server'),
        get('/auth/session'),
        env.signoff.call('/healthz', { method: 'HEAD' }),
        env.signoff.post('/auth/login/', {}),
        env.signoff.post('/auth/logout/', { refresh_token: 'x' }),
        env.signoff.post('/logout', {}),
        env.signoff.call('/oauth/introspect'),
        env.signoff.post('/api/v1/auth/login', {}),
        get('/api/v1/nowhere'),
      ].map(async (answer) => (await answer).headers['content-type']),
    )
    const { headers } = await env.signoff.post('/auth/login/', { username: 'alice', password: PASSWORD })

    expect(types).to.deep.equal([
      ...Array<string>(11).fill('application/json'),
      'application/problem+json',
      'application/problem+json',
    ])
    expect(headers['content-type']).to.equal('application/json')
  })

  it('may accept what nobody can serve, and is answered as if it had not said so', async () => {
    for (const accept of [
      'image/png',
      'application/xml;q=0.9',
      'text/html',
      'application/json;q=0',
      'nonsense',
      ';',
    ]) {
      const answer = await env.signoff.call('/auth/login/', {
        json: { username: 'alice', password: PASSWORD },
        headers: { Accept: accept, 'Accept-Encoding': 'nonsense, identity;q=0' },
      })
      const docs = await get('/docs', { Accept: accept, 'Accept-Encoding': 'nonsense, identity;q=0' })

      expect([answer.status, docs.status], accept).to.deep.equal([200, 200])
      expect(answer.headers['content-type'], accept).to.equal('application/json')
    }
  })

  it('hears nothing of stacks, SQL or libraries when it goes wrong', async () => {
    await env.database.sql('ALTER TABLE user_sessions RENAME TO hidden')

    const answer = await env.signoff.post('/auth/login/', {
      username: 'alice',
      password: 'correct horse battery staple',
    })
    await env.database.sql('ALTER TABLE hidden RENAME TO user_sessions')

    expect(statusAndBody(answer)).to.deep.equal({
      status: 500,
      body: { detail: 'A server error occurred.' },
    })
  })

  it('leaves no password and no token in the system log', async () => {
    const { refresh } = await env.login()
    await env.signoff.post('/auth/logout/', { refresh_token: refresh })

    const log = JSON.stringify(env.signoff.log)
    expect(log).to.not.contain(refresh)
    expect(log).to.not.contain('correct horse')
  })

  describe('of a peer', () => {
    it('finds public keys only, cacheable', async () => {
      const answer = await get('/.well-known/jwks.json')

      const { keys } = answer.json as { keys: object[] }
      expect(keys).to.have.length(1)
      expect(keys[0]).to.have.all.keys('kty', 'crv', 'x', 'y', 'kid', 'alg', 'use')
      expect(answer.headers['cache-control']).to.equal('public, max-age=300')
    })
  })

  describe('of an operator', () => {
    it('sees that the process lives and that it is ready', async () => {
      const health = await get('/healthz')
      const ready = await get('/readyz')

      expect(statusAndBody(health)).to.deep.equal({ status: 200, body: { status: 'ok' } })
      expect(statusAndBody(ready)).to.deep.equal({
        status: 200,
        body: {
          status: 'ready',
          checks: { postgres: 'ok', redis: 'ok', denylist: 'ok', clock: 'ok' },
          settings: 'ok',
        },
      })
    })

    it('finds the metrics on the admin port, and not on the public one', async () => {
      const admin = await request(`${env.signoff.adminUrl}/metrics`)
      const text = await admin.body.text()
      const open = await get('/metrics')

      expect(text).to.contain('signoff_denylist_trusted 1')
      expect(text).to.match(
        /signoff_http_request_duration_seconds_count\{method="POST",route="\/auth\/login",status="200"\} \d+/,
      )
      expect(open.status).to.equal(404)
    })
  })
})
