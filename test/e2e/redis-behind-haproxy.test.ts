// Redis behind HAProxy: the master moves while the connections of the service stand, and the service moves too.
import { expect } from 'chai'
import { addUser } from '../support/service/add-user.ts'
import { FETCH_TIMEOUT_MS } from '../support/servers/debian-packages.ts'
import { eventually, untilReady, loggedInAt } from '../support/service/environment.ts'
import { testHaproxy, type TestHaproxy } from '../support/servers/haproxy.ts'
import { testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { startSignoff, type Signoff } from '../support/service/signoff.ts'

const BOUND_MS = 60_000
const WATERMARK = 'denylist:{00}:synced'

describe('a service whose Redis is behind HAProxy', () => {
  let database: TestDatabase
  let first: TestRedis
  let second: TestRedis
  let haproxy: TestHaproxy
  let signoff: Signoff

  before(async function () {
    this.timeout(FETCH_TIMEOUT_MS)
    ;[database, first, second] = await Promise.all([testDatabase(), testRedis(), testRedis()])
    await second.client.replicaof('127.0.0.1', first.port)
    await eventually(
      async () => (await second.client.info('replication')).includes('master_link_status:up'),
      BOUND_MS,
    )
    haproxy = await testHaproxy({ one: first.port, other: second.port })
    await addUser(database, 'alice')
    signoff = await startSignoff({
      databaseUrl: database.url,
      redisUrl: `redis://127.0.0.1:${haproxy.port}`,
    })
    await untilReady(signoff)
  })
  after(async () => {
    await signoff.stop()
    await haproxy.stop()
    await Promise.all([database.drop(), first.remove(), second.remove()])
  })

  const login = async () => await loggedInAt(signoff)
  const connections = async ({ client }: TestRedis) =>
    String(await client.client('LIST'))
      .split('\n')
      .filter((line) => line.includes('name=signoff'))

  it('moves with the master, is green again, and refuses what was logged out before, meanwhile and after', async function () {
    this.timeout(3 * BOUND_MS)
    const pairs = [await login(), await login(), await login()]
    const logout = async (index: number) =>
      (await signoff.post('/auth/logout/', { refresh_token: pairs[index]?.refresh })).status
    const answers = [await logout(0)]

    // As an operator does it, or Sentinel's script: HAProxy first, and no connection is ended.
    await haproxy.leadTo('other')
    await second.client.replicaof('NO', 'ONE')
    await first.client.replicaof('127.0.0.1', second.port)
    const stood = await connections(first)
    answers.push(await logout(1))
    await eventually(async () => (await connections(second)).length >= stood.length, BOUND_MS)
    await eventually(async () => (await second.client.pttl(WATERMARK)) > 0, BOUND_MS)
    await eventually(async () => (await signoff.call('/readyz', { method: 'GET' })).status === 200, BOUND_MS)
    answers.push(await logout(2))
    const refreshed = await Promise.all(
      pairs.map(async ({ refresh }) => (await signoff.post('/auth/token/refresh/', { refresh })).status),
    )

    expect(stood).to.not.be.empty
    expect(answers).to.deep.equal([200, 200, 200])
    expect(refreshed).to.deep.equal([401, 401, 401])
    expect(await connections(first)).to.deep.equal([])
  })
})
