// Whether a feed is complete without the journal: each thing that must be so, and that nothing is vouched for without it.
import { expect } from 'chai'
import { denialFeed, type FilledFeed } from '../../../../src/store/feed/denial-feed.ts'
import type { Announcements } from '../../../../src/store/redis/announcements.ts'
import { positionText, watermarkText, type Position } from '../../../../src/store/redis/proof.ts'
import type { RedisCommands, ScriptCall } from '../../../../src/store/redis/redis-commands.ts'
import { READ_VOUCHED, vouchFeed, type VouchFeedDeps } from '../../../../src/store/vouching/vouch-feed.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'

const JOURNAL_MS = 1_800_000_000_000
const POSITION: Position = {
  relayedUpTo: JOURNAL_MS,
  journalName: 'journal',
  serverEpoch: '1-1',
  instanceId: 'one',
  redisOffsetMs: 0,
  token: 'token1',
  isByAcks: true,
}
/** When the journal was read last. */
const READ_AT = 10_000
const LEFT_MS = 4000
const LEASE_MS = 5000

describe('vouchFeed', () => {
  let clock: FakeClock
  let feed: FilledFeed
  let announcements: { unbroken: Announcements['unbroken']; upTo: number }
  /** What stands in Redis: watermark, milliseconds until it falls, position, mark. */
  let answer: [string, number, string, string]
  let calls: ScriptCall[]
  let believed: string[]

  beforeEach(async () => {
    clock = fakeClock()
    feed = denialFeed({ leaseSeconds: LEASE_MS / 1000, accessAgeSeconds: 300, leewaySeconds: 5 }, clock)
    feed.journaled(READ_AT, { position: JOURNAL_MS, name: 'journal' })
    announcements = { unbroken: { since: READ_AT - 1, mark: 'mark' }, upTo: 20_000 }
    answer = [watermarkText(POSITION), LEFT_MS, positionText(POSITION), 'mark']
    ;[calls, believed] = [[], ['one']]
    await clock.advance(15_000)
  })

  const vouch = async (over: Partial<VouchFeedDeps> = {}): Promise<number> => {
    const run: RedisCommands['run'] = async (call) => {
      calls.push(call)
      return await Promise.resolve(answer)
    }
    await vouchFeed(
      {
        clock,
        feed,
        connection: { commands: { run } as RedisCommands },
        announcements: {
          ...announcements,
          next: async () => await Promise.resolve([]),
          beginAnew: () => undefined,
        },
        believes: ({ instanceId }) => believed.includes(instanceId),
        ...over,
      },
      READ_AT,
    )
    return feed.asOf
  }
  const standing = (over: Partial<Position>) => {
    const position = { ...POSITION, ...over }
    answer = [watermarkText(position), LEFT_MS, positionText(position), 'mark']
  }

  it('vouches for what was acknowledged one lease before the watermark falls', async () => {
    expect(await vouch()).to.equal(15_000 + LEFT_MS - LEASE_MS)
  })

  it('asks Redis once', async () => {
    await vouch()

    const keys = ['denylist:{00}:synced', 'denylist:{00}:relayed', 'denylist:{00}:announced:mark']
    expect(calls).to.deep.equal([{ script: READ_VOUCHED, keys, args: [] }])
  })

  it('vouches for no more than what was handed out when it asked', async () => {
    announcements.upTo = 12_000

    expect(await vouch()).to.equal(12_000)
  })

  it('takes nothing back', async () => {
    announcements.upTo = READ_AT - 5000

    expect(await vouch()).to.equal(READ_AT)
  })

  it('goes as far ahead of the journal as what could not be announced is held against it', async () => {
    standing({ relayedUpTo: JOURNAL_MS + 2000 })
    const atThat = await vouch()
    feed.journaled(14_500, { position: JOURNAL_MS, name: 'journal' })
    standing({ relayedUpTo: JOURNAL_MS + 2001 })
    await clock.advance(2000)

    expect(atThat).to.equal(14_000)
    expect(await vouch()).to.equal(14_500)
  })

  const refusals: [when: string, change: () => void][] = [
    ['there is no watermark', () => (answer[0] = '')],
    ['the watermark is garbage', () => (answer[0] = 'soon')],
    ['there is no position', () => (answer[2] = '')],
    [
      'the watermark stands by the journal',
      () => {
        standing({ isByAcks: false })
      },
    ],
    [
      'another deployment has set the watermark',
      () => {
        standing({ instanceId: 'of another' })
      },
    ],
    ['no watermark is believed yet', () => (believed = [])],
    ['announcements may have been missed', () => (announcements.unbroken = null)],
    [
      'the journal was not read since the announcements are',
      () => (announcements.unbroken = { since: READ_AT + 1, mark: 'mark' }),
    ],
    ['Redis was emptied meanwhile', () => (answer[3] = 'another')],
  ]
  for (const [when, change] of refusals)
    it(`vouches for nothing where ${when}`, async () => {
      change()

      expect(await vouch()).to.equal(READ_AT)
    })

  it('rejects when Redis does not answer', async () => {
    const run = async () => await Promise.reject(new Error('away'))

    const outcome = await vouch({ connection: { commands: { run } as unknown as RedisCommands } }).catch(
      String,
    )

    expect(outcome).to.equal('Error: away')
    expect(feed.asOf).to.equal(READ_AT)
  })
})
