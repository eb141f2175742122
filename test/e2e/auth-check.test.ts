// /auth/check, as gateways ask it: any method, any body, one header that counts.
import { expect } from 'chai'
import { claimsOf, testEnvironment, type TestEnvironment } from '../support/service/environment.ts'
import { epochNow, forge } from '../support/clients/forge.ts'
import type { Answer } from '../support/service/signoff.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']

describe('/auth/check', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment({ ALLOWED_ORIGINS: 'https://app.example' })
  })
  after(async () => {
    await env.stop()
  })

  const check = async (authorization?: string, method = 'GET', path = '/auth/check'): Promise<Answer> =>
    await env.signoff.call(path, {
      method,
      headers: authorization === undefined ? {} : { Authorization: authorization },
    })

  const expectRefused = ({ status, headers }: Answer, what: string, challenge: string): void => {
    expect([status, headers['www-authenticate']], what).to.deep.equal([401, challenge])
    expect(headers['cache-control'], what).to.equal('no-store')
    for (const name of ['x-auth-user', 'x-auth-session', 'x-auth-role']) {
      expect(headers, what).to.not.have.property(name)
    }
  }
  const INVALID = 'Bearer error="invalid_token"'

  it('is 200 for a live access token, and says whose it is, in headers only', async () => {
    const { access } = await env.login()
    const { sub, sid } = claimsOf(access)

    for (const path of ['/auth/check', '/auth/check/', '/auth/check?x=y']) {
      const { status, text, headers } = await check(`Bearer ${access}`, 'GET', path)

      expect([status, text], path).to.deep.equal([200, ''])
      expect(headers, path).to.include({
        'x-auth-user': sub,
        'x-auth-session': sid,
        'x-auth-role': 'user',
        'cache-control': 'no-store',
        'content-length': '0',
      })
      expect(headers).to.not.have.property('content-type')
    }
  })

  it('answers every method alike', async () => {
    const { access } = await env.login()
    for (const method of METHODS) {
      expect((await check(`Bearer ${access}`, method)).status, method).to.equal(200)
      expectRefused(await check('Bearer x', method), method, INVALID)
    }
  })

  it('answers no preflight in the place of what it is asked', async () => {
    const headers = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET' }
    for (const path of ['/auth/check', '/auth/check/']) {
      const answer = await env.signoff.call(path, { method: 'OPTIONS', headers })

      expectRefused(answer, path, 'Bearer')
    }
  })

  it('ignores the body, of whatever size, type and encoding', async () => {
    const { access } = await env.login()
    const Authorization = `Bearer ${access}`
    for (const headers of [
      { 'Content-Type': 'application/json' },
      { 'Content-Type': 'x', 'Content-Encoding': 'nonsense' },
    ]) {
      const body = Buffer.alloc(1_000_000, '{')
      const { status } = await env.signoff.call('/auth/check', {
        body,
        headers: { ...headers, Authorization },
      })

      expect(status).to.equal(200)
    }
  })

  it('is 401 without an error where there is no token', async () => {
    for (const authorization of [undefined, '', 'Bearer', 'Bearer a b', 'Basic YTpi', 'x']) {
      expectRefused(await check(authorization), String(authorization), 'Bearer')
    }
  })

  it('is 401 with one for every token that is not good', async () => {
    const { access, refresh } = await env.login()
    const over = await env.login()
    await env.signoff.post('/auth/logout/', { refresh_token: over.refresh })
    const past = { iat: epochNow() - 600, exp: epochNow() - 300 }
    const tokens: Record<string, string> = {
      token_denied: over.access,
      token_expired: forge(env.signoff.files).access(past),
      token_invalid: `${access.slice(0, -8)}AAAAAAAA`,
    }

    for (const [error, token] of Object.entries(tokens)) {
      const answer = await check(`Bearer ${token}`)
      expectRefused(answer, error, INVALID)
      expect(answer.json).to.deep.equal({ error })
    }
    for (const token of [refresh, 'x', 'a.b.c', 'x'.repeat(8000)]) {
      expectRefused(await check(`Bearer ${token}`), token, INVALID)
    }
  })

  it('says what a role is in a header that nothing can break out of', async () => {
    const forged = forge(env.signoff.files)
    const roleOf = async (scope: string) =>
      (await check(`Bearer ${forged.access({ scope })}`)).headers['x-auth-role']

    expect(await roleOf('read write')).to.equal('read write')
    expect(await roleOf('管理')).to.equal('%E7%AE%A1%E7%90%86')
    expect(await roleOf('user\r\nX-Auth-User: admin')).to.equal('user%0D%0AX-Auth-User: admin')
    expect(await roleOf(' admin')).to.equal('%20admin')
    expect(await roleOf('')).to.equal('')
  })
})
