// When an instance gives its word that nothing which it acknowledged is missing in Redis.
import { expect } from 'chai'
import { cleanAcks, type CleanAcks } from '../../../../src/store/vouching/clean-acks.ts'
import { partitionState } from '../../../support/builders/partition-state.ts'

const REDIS_MS = 1_800_000_000_000

describe('cleanAcks', () => {
  let cleanAfter: number
  let said: number[]
  let lose: () => void
  let acks: CleanAcks

  beforeEach(() => {
    cleanAfter = 1000
    said = []
    acks = cleanAcks({
      connection: {
        onLoss: (listener) => {
          lose = listener
        },
      },
      required: {
        requiredUpTo: 0,
        get cleanAfter() {
          return cleanAfter
        },
        noteClock: () => undefined,
        noteDenial: () => undefined,
        raise: () => undefined,
      },
      acks: {
        say: async (redisMs) => {
          said.push(redisMs)
          await Promise.resolve()
        },
      },
    })
  })

  /** A tick: Redis is read, and has the journal up to then. */
  const tick = async (redisNowMs: number, relayedUpTo: number) => {
    acks.noteRelayed(relayedUpTo)
    await acks.say([
      partitionState({ partition: '0a', redisNowMs: redisNowMs + 77 }),
      partitionState({ partition: '00', redisNowMs }),
    ])
  }

  it('is said at every tick, and is worth nothing before Redis has what it may lack', async () => {
    await tick(REDIS_MS, 0)
    await tick(REDIS_MS + 1000, 1000)

    expect(said).to.deep.equal([0, 0])
    expect(acks.isClean).to.equal(false)
  })

  it('goes by the clock of the Redis that holds the words', async () => {
    await tick(REDIS_MS, 1001)

    expect(said).to.deep.equal([REDIS_MS])
    expect(acks.isClean).to.equal(true)
  })

  it('stays what it was while something may be missing, and goes on after that', async () => {
    await tick(REDIS_MS, 1001)
    cleanAfter = 5000
    await tick(REDIS_MS + 1000, 2000)
    await tick(REDIS_MS + 2000, 5000)
    await tick(REDIS_MS + 3000, 5001)

    expect(said).to.deep.equal([REDIS_MS, REDIS_MS, REDIS_MS, REDIS_MS + 3000])
  })

  it('ends when Redis may have lost what it held', async () => {
    await tick(REDIS_MS, 1001)
    lose()
    cleanAfter = 5000
    await tick(REDIS_MS + 1000, 2000)

    expect(said).to.deep.equal([REDIS_MS, 0])
  })

  it('ends when Redis has less of the journal than before', async () => {
    await tick(REDIS_MS, 1001)
    await tick(REDIS_MS + 1000, 0)

    expect(said).to.deep.equal([REDIS_MS, REDIS_MS])
    expect(acks.isClean).to.equal(false)
  })

  it('is not said where the part of Redis that holds it does not answer', async () => {
    acks.noteRelayed(1001)
    await acks.say([partitionState({ partition: '0a' })])

    expect(said).to.deep.equal([])
  })
})
