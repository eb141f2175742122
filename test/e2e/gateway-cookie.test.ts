// /auth/check with the session cookie: only where it is allowed, only for reading, and without any effect.
import { expect } from 'chai'
import { PASSWORD, testEnvironment, type TestEnvironment } from '../support/service/environment.ts'

describe('/auth/check with the session cookie', () => {
  let env: TestEnvironment

  afterEach(async () => {
    await env.stop()
  })

  const begin = async (): Promise<{ cookie: string; access: string }> => {
    const { headers, json } = await env.signoff.post('/auth/session', {
      username: 'alice',
      password: PASSWORD,
    })
    const [cookie = ''] = String(headers['set-cookie']).split(';')
    return { cookie, access: (json as { access: string }).access }
  }
  const check = async (headers: Record<string, string>, method = 'GET') =>
    await env.signoff.call('/auth/check', { method, headers })

  it('is 401 unless GATEWAY_COOKIE is on', async () => {
    env = await testEnvironment()
    const { cookie } = await begin()

    const { status, headers } = await check({ Cookie: cookie, 'X-Forwarded-Method': 'GET' })

    expect([status, headers['www-authenticate']]).to.deep.equal([401, 'Bearer'])
  })

  it('goes by the method that the gateway tells, by an access token first, and uses nothing up', async () => {
    env = await testEnvironment({ GATEWAY_COOKIE: 'on' })
    const { cookie, access } = await begin()
    const statusOf = async (headers: Record<string, string>, method?: string) =>
      (await check({ Cookie: cookie, ...headers }, method)).status

    expect(await statusOf({ 'X-Forwarded-Method': 'GET' })).to.equal(200)
    expect(await statusOf({ 'X-Forwarded-Method': 'HEAD' }, 'POST')).to.equal(200)
    for (const method of ['POST', 'get', '', 'GET, POST', 'DELETE']) {
      expect(await statusOf({ 'X-Forwarded-Method': method }), method).to.equal(401)
    }
    expect(await statusOf({})).to.equal(401)
    // A token that is no good is not made good by the cookie.
    expect(await statusOf({ 'X-Forwarded-Method': 'GET', Authorization: 'Bearer x' })).to.equal(401)
    expect(await statusOf({ 'X-Forwarded-Method': 'POST', Authorization: `Bearer ${access}` })).to.equal(200)
    // Still the first generation, in a session that is on.
    const rows = await env.database.sql<{ generation: number; ended_at: Date | null }>(
      'SELECT generation, ended_at FROM user_sessions',
    )
    expect(rows).to.deep.equal([{ generation: 0, ended_at: null }])
  })
})
