// What peers are told while a store is away: as long as one of the two can tell, they are told.
import { expect } from 'chai'
import {
  claimsOf,
  eventually,
  testEnvironment,
  untilReady,
  type Pair,
  type TestEnvironment,
  loggedInAt,
} from '../../support/service/environment.ts'
import { HANGING_MS } from '../../support/clients/hanging.ts'
import { addedPeer, basicAuth, postForm, type PeerClient } from '../../support/clients/peer.ts'
import { startSignoff, type Answer, type Signoff } from '../../support/service/signoff.ts'
import { tcpProxy, type TcpProxy } from '../../support/servers/tcp-proxy.ts'

describe('the endpoints of peers', () => {
  let env: TestEnvironment
  let toPostgres: TcpProxy
  let toRedis: TcpProxy
  let signoff: Signoff
  let shop: PeerClient

  before(async () => {
    env = await testEnvironment()
    toPostgres = await tcpProxy(portOf(env.database.url))
    toRedis = await tcpProxy(env.redis.port)
    signoff = await startSignoff({
      databaseUrl: withPort(env.database.url, toPostgres.port),
      redisUrl: withPort(env.redis.url, toRedis.port),
    })
    shop = await addedPeer(signoff, env.database)
  })
  beforeEach(async () => {
    toPostgres.pass()
    toRedis.pass()
    await untilReady(signoff)
    // Known from now on.
    await eventually(async () => (await shop.introspect('x')).status === 200)
  })
  after(async () => {
    await signoff.stop()
    await Promise.all([toPostgres.close(), toRedis.close()])
    await env.stop()
  })

  const login = async (username?: string): Promise<Pair> => await loggedInAt(signoff, username)
  const check = async (token: string): Promise<Answer> =>
    await signoff.call('/auth/check', { method: 'GET', headers: { Authorization: `Bearer ${token}` } })
  const isActive = ({ json }: Answer): unknown => (json as { active?: unknown }).active

  const expectUnavailable = ({ status, json, headers }: Answer, error: string): void => {
    expect([status, (json as { error: string }).error]).to.deep.equal([503, error])
    expect(headers).to.include({ 'retry-after': '1', 'cache-control': 'no-store' })
  }

  it('answer while Redis is away: yes and no', async () => {
    const [live, over] = [await login(), await login()]
    toRedis.cut()
    await shop.revoke(over.refresh)

    expect([
      isActive(await shop.introspect(live.access)),
      isActive(await shop.introspect(over.access)),
    ]).to.deep.equal([true, false])
    expect([(await check(live.access)).status, (await check(over.access)).status]).to.deep.equal([200, 401])
  })

  it('answer while Postgres is away, to peers that are known; what they cannot tell is 503', async () => {
    const [live, over] = [await login(), await login()]
    await shop.revoke(over.access)
    const named = await shop.introspect(live.access)

    toPostgres.cut()
    const answers = [await shop.introspect(live.access), await shop.introspect(over.access)]

    expect(answers.map(isActive)).to.deep.equal([true, false])
    expect(answers[0]?.json).to.deep.equal(named.json)
    expect([(await check(live.access)).status, (await check(over.access)).status]).to.deep.equal([200, 401])
    const asNobody = async () =>
      await postForm(signoff, '/oauth/introspect', {
        form: { token: 'x' },
        headers: { Authorization: basicAuth('nobody', 'x') },
      })
    // What was read less than a second ago is still good for a no.
    await eventually(async () => (await asNobody()).status !== 401)
    expectUnavailable(await asNobody(), 'temporarily_unavailable')
    expectUnavailable(await shop.revoke(live.access), 'temporarily_unavailable')
  })

  it('are sent to an instance that has one of the stores, and to none that has neither', async () => {
    const ready = async (path: string) => (await signoff.call(path, { method: 'GET' })).status
    const untilNotReady = async () => {
      await eventually(async () => (await ready('/readyz')) === 503)
    }

    toRedis.cut()
    await untilNotReady()
    expect(await ready('/readyz/traffic')).to.equal(200)
    toRedis.pass()
    await untilReady(signoff)
    toPostgres.cut()
    await untilNotReady()
    expect(await ready('/readyz/traffic')).to.equal(200)
    toRedis.cut()
    await eventually(async () => (await ready('/readyz/traffic')) === 503)
    expect(await ready('/healthz')).to.equal(200)
  })

  it('leave the name out where Postgres has not told it, and go on', async () => {
    await env.addUser('bob')
    const { access } = await login('bob')

    toPostgres.cut()
    const { json } = await shop.introspect(access)

    expect(json)
      .to.include({ active: true, sub: claimsOf(access)['sub'] })
      .and.not.have.property('username')
  })

  it('keep nobody waiting while Postgres hangs', async () => {
    await env.addUser('carol')
    const { access } = await login('carol')

    toPostgres.swallow()
    const start = performance.now()
    const answers = await Promise.all(Array.from({ length: 20 }, async () => await shop.introspect(access)))

    expect(new Set(answers.map(isActive))).to.deep.equal(new Set([true]))
    expect(performance.now() - start).to.be.below(HANGING_MS)
  })

  it('cannot tell when both are away: 503, and never active or not', async () => {
    const { access } = await login()
    await shop.introspect(access)

    toRedis.cut()
    toPostgres.cut()
    await eventually(async () => (await check(access)).status === 503)

    expectUnavailable(await shop.introspect(access), 'temporarily_unavailable')
    expectUnavailable(await check(access), 'denylist_unknown')
    expectUnavailable(await shop.revoke(access), 'temporarily_unavailable')
    // Of these it can tell without asking anybody.
    expect(isActive(await shop.introspect('garbage'))).to.equal(false)
    expect((await check('garbage')).status).to.equal(401)
  })
})

function portOf(url: string): number {
  return Number(new URL(url).port)
}

function withPort(url: string, port: number): string {
  return Object.assign(new URL(url), { port: String(port) }).href
}
