// signoff user set-role: the sessions with the old role are over, the next ones have the new one.
import { expect } from 'chai'
import { claimsOf, PASSWORD, testEnvironment, type TestEnvironment } from '../support/service/environment.ts'
import { runSignoff } from '../support/service/signoff.ts'

describe('signoff user set-role', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment()
  })
  after(async () => {
    await env.stop()
  })

  const setRole = async (...args: string[]) =>
    await runSignoff(['user', 'set-role', ...args], {
      env: { DATABASE_URL: env.database.url, REDIS_URL: env.redis.url },
    })

  it('ends the sessions, which do not rotate into the new role', async () => {
    await env.addUser('carol')
    const login = async () =>
      (await env.signoff.post('/api/v1/auth/login', { username: 'carol', password: PASSWORD })).json
    const before = (await login()) as { access_token: string; refresh_token: string }

    const { status, stdout } = await setRole('carol', 'admin')

    const refresh = await env.signoff.post('/api/v1/auth/refresh', { refresh_token: before.refresh_token })
    const verified = await env.signoff.post('/auth/token/verify/', { token: before.access_token })
    const after = (await login()) as { access_token: string }
    expect(status).to.equal(0)
    expect(stdout).to.equal('carol is admin now, sessions ended: 1\n')
    expect([refresh.status, verified.status]).to.deep.equal([401, 401])
    expect(claimsOf(before.access_token)['scope']).to.equal('user')
    expect(claimsOf(after.access_token)['scope']).to.equal('admin')
  })

  it('says so when there is no such role, and no such user', async () => {
    const role = await setRole('alice', 'root')
    const user = await setRole('nobody', 'admin')

    expect([role.status, user.status]).to.deep.equal([1, 1])
    expect(role.stderr).to.include('there is no role root, only user, admin (ROLES)')
    expect(user.stderr).to.include('there is no user nobody')
  })
})
