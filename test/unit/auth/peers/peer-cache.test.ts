// Peers as a process remembers them: who is let in, how soon a change is known, and what it costs the store.
import { expect } from 'chai'
import { createPeerCache, type PeerCache } from '../../../../src/auth/peers/peer-cache.ts'
import { AuthError } from '../../../../src/auth/errors.ts'
import type { Peers } from '../../../../src/auth/ports/peers.ts'
import { peerSecrets } from '../../../../src/passwords/peer-secrets.ts'
import { manualClock, type ManualClock } from '../../../support/fakes/manual-clock.ts'
import { memoryDatabase, type MemoryDatabase } from '../../../support/fakes/memory-database.ts'
import { memoryPeers } from '../../../support/fakes/memory-peers.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

const SECRET = 'the secret of the shop'

describe('createPeerCache', () => {
  let clock: ManualClock
  let database: MemoryDatabase
  let peers: Peers
  let known: PeerCache
  let readings: number

  beforeEach(async () => {
    clock = manualClock()
    database = memoryDatabase(clock)
    peers = memoryPeers(database)
    readings = 0
    known = createPeerCache({ peers: counted(peers), peerSecrets, nowMs: clock.nowMs })
    await add('shop', SECRET)
  })

  const counted = ({ list }: Pick<Peers, 'list'>): Pick<Peers, 'list'> => ({
    list: async () => {
      readings += 1
      return await list()
    },
  })
  const add = async (clientId: string, secret: string): Promise<boolean> =>
    await peers.add({ clientId, secretHash: peerSecrets.hash(secret) })
  const isRight = async (clientId = 'shop', clientSecret = SECRET): Promise<boolean> =>
    await known.isRight({ clientId, clientSecret })

  it('says yes to the right secret of a peer, and to nothing else', async () => {
    await add('billing', 'another secret')

    expect(await isRight()).to.equal(true)
    for (const [clientId, secret] of [
      ['shop', 'another secret'],
      ['billing', SECRET],
      ['shop', ''],
      ['shop', `${SECRET} `],
      ['Shop', SECRET],
      ['nobody', SECRET],
      ['', ''],
      ['__proto__', SECRET],
    ]) {
      expect(await isRight(clientId, secret), `${String(clientId)}:${String(secret)}`).to.equal(false)
    }
  })

  it('asks the store once for many questions at once, and not again for ten seconds', async () => {
    await Promise.all(Array.from({ length: 100 }, async () => await isRight()))
    clock.advance(9.9)
    await isRight()

    expect(readings).to.equal(1)
    clock.advance(0.1)
    await isRight()
    expect(readings).to.equal(2)
  })

  it('asks the store once a second at the most, however many wrong ones there are', async () => {
    for (let i = 0; i < 500; i += 1) {
      await isRight(`nobody-${i}`)
      await isRight('shop', `guess ${i}`)
      clock.advance(0.01)
    }

    expect(readings).to.be.within(4, 6)
  })

  it('refuses a removed peer ten seconds later', async () => {
    await isRight()
    await peers.remove('shop')

    clock.advance(10)

    expect(await isRight()).to.equal(false)
  })

  it('lets a new peer in within a second, and one with a new secret too', async () => {
    expect(await isRight('new', 'new secret')).to.equal(false)
    await add('new', 'new secret')
    await peers.remove('shop')
    await add('shop', 'changed secret')

    clock.advance(1)

    expect(await isRight('new', 'new secret')).to.equal(true)
    expect(await isRight('shop', 'changed secret')).to.equal(true)
    expect(await isRight()).to.equal(false)
  })

  describe('while the store is away', () => {
    const away = async (seconds: number): Promise<void> => {
      database.isAnswering = false
      for (let passed = 0; passed < seconds; passed += 1) {
        clock.advance(1)
        await isRight()
      }
    }

    it('goes on saying yes to whom it remembers, for as long as that lasts', async () => {
      await isRight()
      await away(3600)

      expect(await isRight()).to.equal(true)
    })

    it('cannot tell of an unknown name, nor of a secret that may be new', async () => {
      await isRight()
      await away(2)

      expect(await refusalOf(isRight('nobody'))).to.equal('unavailable')
      expect(await refusalOf(isRight('shop', 'changed secret'))).to.equal('unavailable')
    })

    it('cannot tell of anybody when it has never been there, and can as soon as it is', async () => {
      database.isAnswering = false
      const before = await refusalOf(isRight())
      database.isAnswering = true
      clock.advance(1)

      expect(before).to.equal('unavailable')
      expect(await isRight()).to.equal(true)
    })

    it('is asked once a second at the most', async () => {
      await isRight()
      await away(10)
      readings = 0

      for (let i = 0; i < 300; i += 1) {
        await isRight()
        await refusalOf(isRight(`nobody-${i}`))
        clock.advance(0.01)
      }

      expect(readings).to.be.within(2, 4)
    })

    it('refuses a peer that is removed once it is back, ten seconds later', async () => {
      await isRight()
      await away(60)
      database.isAnswering = true
      await peers.remove('shop')

      clock.advance(10)

      expect(await isRight()).to.equal(false)
    })
  })

  it('keeps whom it remembers waiting once for a store that hangs', async () => {
    await isRight()
    let giveUp: () => void = () => undefined
    const hanging = createPeerCache({
      peers: {
        list: async () => {
          readings += 1
          if (readings === 2) return await peers.list()
          return await new Promise((_, reject) => {
            giveUp = () => {
              reject(new AuthError('unavailable'))
            }
          })
        },
      },
      peerSecrets,
      nowMs: clock.nowMs,
    })
    await hanging.isRight({ clientId: 'shop', clientSecret: SECRET })
    clock.advance(10)
    const first = hanging.isRight({ clientId: 'shop', clientSecret: SECRET })
    await Promise.resolve()
    giveUp()
    const afterFailure = await first
    clock.advance(2)

    // Another reading hangs now, and nobody waits for it.
    const second = await hanging.isRight({ clientId: 'shop', clientSecret: SECRET })

    expect([afterFailure, second]).to.deep.equal([true, true])
    expect(readings).to.equal(4)
  })

  it('tells what the store refused', async () => {
    const broken = createPeerCache({
      peers: { list: async () => await Promise.reject(new AuthError('failed')) },
      peerSecrets,
      nowMs: clock.nowMs,
    })

    expect(await refusalOf(broken.isRight({ clientId: 'shop', clientSecret: SECRET }))).to.equal('failed')
  })
})
