// A verifier that asks a real Redis with the bare MGET.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import {
  denialKey,
  partitionOf,
  PARTITIONS,
  tokenId,
  watermarkKey,
} from '../../../src/contract/denylist-keys.ts'
import {
  createVerifier,
  redis,
  type Mget,
  type Verifier,
  type VerifierOptions,
} from '../../../src/peer/index.ts'
import { fakeSignoff, type FakeSignoff } from '../../../src/peer/testing/index.ts'
import { eventually } from '../../support/service/environment.ts'
import { HANGING_MS } from '../../support/clients/hanging.ts'
import { testRedis, type TestRedis } from '../../support/servers/redis.ts'
import { tokenRefusalOf } from '../../support/clients/token-refusal.ts'

describe('redis', () => {
  let store: TestRedis
  let fake: FakeSignoff
  let verifiers: Verifier[]
  let asked: string[][]
  let errors: Error[]

  before(async () => {
    store = await testRedis()
  })
  after(async () => {
    await store.remove()
  })
  beforeEach(async () => {
    await store.client.flushall()
    await store.client.mset(Object.fromEntries(PARTITIONS.map((partition) => [watermarkKey(partition), '1'])))
    fake = await fakeSignoff()
    verifiers = []
    asked = []
    errors = []
  })
  afterEach(async () => {
    await Promise.all(
      verifiers.map(async (verifier) => {
        await verifier.close()
      }),
    )
  })

  const mgetOfStore: Mget = async (keys) => {
    asked.push(keys)
    return await store.client.mget(keys)
  }
  function create(options: Partial<VerifierOptions> = {}, mget = mgetOfStore): Verifier {
    const verifier = createVerifier({
      ...fake.options,
      denylist: redis({ mget }),
      onError: (error) => errors.push(error),
      ...options,
    })
    verifiers.push(verifier)
    return verifier
  }
  const outcome = async (verifier: Verifier, token: string) => await tokenRefusalOf(verifier.verify(token))
  const listen = (verifier: Verifier, sid: string): string[] => {
    const heard: string[] = []
    verifier.onSessionEnd(sid, (reason) => heard.push(reason))
    return heard
  }
  const deny = async (id: string) => await store.client.set(denialKey(id), '1')

  it('asks under the prefix of the service, and under no other', async () => {
    const { token, claims } = await fake.mint()
    const shop = create({ denylist: redis({ mget: mgetOfStore, prefix: 'shop:' }) })
    await deny(claims.sid)
    const elsewhere = await outcome(shop, token)
    await store.client.set(`shop:${watermarkKey(partitionOf(claims.sid))}`, '1')
    const live = await outcome(shop, token)
    await store.client.set(`shop:${denialKey(claims.sid)}`, '1')
    const denied = await outcome(shop, token)

    expect([elsewhere, live, denied]).to.deep.equal(['denylist_unknown', 'resolved', 'token_denied'])
  })

  it('accepts while nothing is denied, with one MGET in one partition', async () => {
    const { token, claims } = await fake.mint()

    expect(await outcome(create(), token)).to.equal('resolved')
    expect(asked).to.deep.equal([
      [
        watermarkKey(partitionOf(claims.sid)),
        denialKey(claims.sid),
        denialKey(tokenId(claims.sid, claims.jti)),
      ],
    ])
  })

  it('refuses a denied session, and a denied token', async () => {
    const verifier = create()
    const [first, second, other] = [await fake.mint(), await fake.mint(), await fake.mint()]

    await deny(first.claims.sid)
    await deny(tokenId(second.claims.sid, second.claims.jti))

    expect(await outcome(verifier, first.token)).to.equal('token_denied')
    expect(await outcome(verifier, second.token)).to.equal('token_denied')
    expect(await outcome(verifier, other.token)).to.equal('resolved')
  })

  it('cannot tell without a watermark, but of what is denied', async () => {
    const [verifier, allowing] = [create(), create({ onUnknown: 'allow' })]
    const [live, denied] = [await fake.mint(), await fake.mint()]
    await store.client.flushall()
    await deny(denied.claims.sid)

    expect(await outcome(verifier, live.token)).to.equal('denylist_unknown')
    expect(await outcome(allowing, live.token)).to.equal('resolved')
    expect(await outcome(allowing, denied.token)).to.equal('token_denied')
    expect(verifier.freshness().isKnown).to.equal(false)
  })

  for (const [what, mget] of Object.entries<Mget>({
    rejects: async () => await Promise.reject(new Error('gone')),
    throws: () => {
      throw new Error('gone')
    },
    'answers too little': async () => await Promise.resolve(['1']),
    'answers no list': async () => await Promise.resolve({} as unknown[]),
    'does not answer': async () => await new Promise(() => undefined),
  })) {
    it(`cannot tell when the client ${what}, and says so`, async () => {
      const verifier = create({}, mget)
      const { token } = await fake.mint()
      await tokenRefusalOf(verifier.verify('warm-up'))

      const startedAt = performance.now()
      expect(await outcome(verifier, token)).to.equal('denylist_unknown')
      expect(performance.now() - startedAt).to.be.below(HANGING_MS)
      expect(errors.map(({ message }) => message)).to.deep.equal(['Redis gives no answer'])
    })
  }

  it('is ready when Redis is in line', async () => {
    const verifier = create()
    await store.client.flushall()
    expect(await tokenRefusalOf(verifier.ready(100))).to.equal('denylist_unknown')

    await store.client.set(watermarkKey('00'), '1')
    expect(await tokenRefusalOf(verifier.ready())).to.equal('resolved')
  })

  it('tells the end of a watched session, and asks for all of a partition at once', async () => {
    const verifier = create()
    const sid = uuidv7()
    const neighbour = `${uuidv7().slice(0, -2)}${partitionOf(sid)}`
    const [heard, other] = [listen(verifier, sid), listen(verifier, neighbour)]

    await deny(sid)
    await eventually(() => heard.length > 0)
    const askedUntilThen = asked.length
    await eventually(() => asked.length > askedUntilThen)

    expect(heard).to.deep.equal(['token_denied'])
    expect(other).to.deep.equal([])
    expect(asked[0]).to.deep.equal([watermarkKey(partitionOf(sid)), denialKey(sid), denialKey(neighbour)])
    expect(asked.at(-1)).to.deep.equal([watermarkKey(partitionOf(sid)), denialKey(neighbour)])
  })

  it('tells watchers that nothing is known after three seconds, where unknown is refused', async () => {
    let isDown = false
    let lastAskedAt = 0
    const mget: Mget = async (keys) => (isDown ? await new Promise(() => undefined) : await mgetOfStore(keys))
    const timedMget: Mget = async (keys) => {
      if (!isDown) lastAskedAt = performance.now()
      return await mget(keys)
    }
    const [refusing, allowing] = [create({}, timedMget), create({ onUnknown: 'allow' }, mget)]
    const [refused, allowed] = [listen(refusing, uuidv7()), listen(allowing, uuidv7())]
    await eventually(() => asked.length >= 2)

    isDown = true
    await eventually(() => refused.length > 0)

    expect(refused).to.deep.equal(['denylist_unknown'])
    expect(performance.now() - lastAskedAt).to.be.above(2_900)
    expect(allowed).to.deep.equal([])
  })

  it('watches 10,000 sessions and no more', () => {
    const verifier = create()
    for (let index = 0; index < 10_000; index++) verifier.onSessionEnd(`${index}`, () => undefined)

    expect(() => verifier.onSessionEnd('one more', () => undefined)).to.throw(RangeError)
  })
})
