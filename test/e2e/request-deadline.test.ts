// A request whose steps are slow, each of them within its own bound, is answered 503 in time, and changes nothing later.
import { expect } from 'chai'
import {
  PASSWORD,
  testEnvironment,
  untilReady,
  type TestEnvironment,
} from '../support/service/environment.ts'
import { startSignoff, type Signoff } from '../support/service/signoff.ts'
import { tcpProxy, type TcpProxy } from '../support/servers/tcp-proxy.ts'

/** Two of them take longer than a request may, though one takes less than a statement may. */
const ROUND_TRIP_MS = 1600

describe('a request to a service whose Postgres is slow', () => {
  let env: TestEnvironment
  let toPostgres: TcpProxy
  let signoff: Signoff

  before(async () => {
    env = await testEnvironment()
    const url = new URL(env.database.url)
    toPostgres = await tcpProxy(Number(url.port))
    url.port = String(toPostgres.port)
    signoff = await startSignoff({ databaseUrl: url.href, redisUrl: env.redis.url })
  })
  beforeEach(async () => {
    toPostgres.pass()
    await untilReady(signoff)
  })
  after(async () => {
    await signoff.stop()
    await toPostgres.close()
    await env.stop()
  })

  const v1 = async (
    method: string,
    path: string,
    { as, ...json }: { as?: string } & Record<string, unknown>,
  ) =>
    await signoff.call(`/api/v1/auth${path}`, {
      method,
      json,
      ...(as !== undefined && { headers: { Authorization: `Bearer ${as}` } }),
    })
  const login = async (username: string, password = PASSWORD) =>
    await v1('POST', '/login', { username, password })
  const accessOf = async (username: string): Promise<string> =>
    ((await login(username)).json as { access_token: string }).access_token
  /** Half of it on the way there, half on the way back. */
  const slow = (): void => {
    toPostgres.slow(() => ROUND_TRIP_MS / 2)
  }

  it('is a login: 503, in every dialect', async () => {
    slow()
    const credentials = { username: 'alice', password: PASSWORD }
    const answers = await Promise.all([
      signoff.post('/auth/login/', credentials),
      signoff.post('/auth/session', credentials),
      login('alice'),
    ])

    for (const { status, headers } of answers) {
      expect(status).to.equal(503)
      expect(headers).to.include({ 'retry-after': '1' })
    }
  })

  it('is a change of the password: 503, and the old one stays', async () => {
    await env.addUser('slow')
    const access = await accessOf('slow')
    slow()
    const change = { current_password: PASSWORD, new_password: 'another horse battery' }
    const { status } = await v1('PUT', '/password', { as: access, ...change })
    expect(status).to.equal(503)

    // Long enough for what goes on unheard to reach its end.
    await new Promise((resolve) => setTimeout(resolve, 4 * ROUND_TRIP_MS))
    toPostgres.pass()
    await untilReady(signoff)
    expect((await login('slow')).status).to.equal(200)
  })

  it('is the deletion of the account: 503, and it is still there', async () => {
    await env.addUser('leaving')
    const access = await accessOf('leaving')
    slow()
    expect((await v1('DELETE', '/me', { as: access, password: PASSWORD })).status).to.equal(503)

    await new Promise((resolve) => setTimeout(resolve, 4 * ROUND_TRIP_MS))
    toPostgres.pass()
    await untilReady(signoff)
    expect((await login('leaving')).status).to.equal(200)
  })
})
