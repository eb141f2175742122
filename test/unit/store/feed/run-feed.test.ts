// The loops that keep the feed filled: how often, whose announcements count, and that nothing holds them up.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { denialFeed, type FilledFeed } from '../../../../src/store/feed/denial-feed.ts'
import { runFeed, type RunFeedDeps, type RunningFeed } from '../../../../src/store/feed/run-feed.ts'
import type { Announced, Announcements } from '../../../../src/store/redis/announcements.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'
import { recordingLog, type RecordingLog } from '../../../support/fakes/recording-log.ts'

const OWN = '0123456789abcdef'
const OTHER = 'fedcba9876543210'

describe('runFeed', () => {
  let clock: FakeClock
  let feed: FilledFeed
  let log: RecordingLog
  let journalName: string | null
  /** Whether Postgres answers. */
  let isRead: boolean
  /** When each step was begun. */
  let steps: number[]
  let holds: { denials: number; isKnown: boolean }[]
  let running: RunningFeed | null
  /** How often the announcements were begun anew. */
  let beginnings: number

  beforeEach(() => {
    clock = fakeClock()
    feed = denialFeed({ leaseSeconds: 5, accessAgeSeconds: 300, leewaySeconds: 5 }, clock)
    log = recordingLog()
    ;[journalName, isRead, steps, holds, running, beginnings] = [OWN, true, [], [], null, 0]
  })
  afterEach(async () => {
    const stopped = running?.stop()
    // Who waits for an announcement waits for the next answer.
    await clock.advance(1000)
    await stopped
  })

  const run = (over: Partial<RunFeedDeps> = {}): RunningFeed => {
    running = runFeed({
      clock,
      intervalMs: 1000,
      feed,
      following: { step },
      afterwards: async () => {
        await Promise.resolve()
      },
      announcements: null,
      journalName: () => journalName,
      log,
      metrics: { feedHolds: (held) => holds.push(held) },
      ...over,
    })
    return running
  }
  const step = async (): Promise<boolean> => {
    steps.push(clock.steadyMs())
    await Promise.resolve()
    if (isRead) feed.journaled(clock.steadyMs(), { position: clock.epochMs(), name: OWN })
    return isRead
  }
  /** Each answer once, a second after the last one. */
  const announcing = (answers: (Announced[] | Error)[]): Announcements => ({
    unbroken: null,
    upTo: 0,
    next: async () => {
      await new Promise<void>((resolve) => {
        clock.after(1000, resolve)
      })
      const answer = answers.shift() ?? []
      if (answer instanceof Error) throw answer
      return answer
    },
    beginAnew: () => {
      beginnings += 1
    },
  })
  const announced = (name: string): Announced => ({ id: uuidv7(), ttlMs: 60_000, journalName: name })

  it('follows the journal once a second, and twice where Postgres does not answer', async () => {
    run()
    await clock.advance(2000)
    isRead = false
    await clock.advance(2000)

    expect(steps).to.deep.equal([0, 1000, 2000, 3000, 3500, 4000])
  })

  it('takes what is announced of its own journal, and leaves aside what is of another', async () => {
    const [own, other] = [announced(OWN), announced(OTHER)]
    run({ announcements: announcing([[other, own]]) })

    await clock.advance(1000)

    expect([feed.isHeld(own.id), feed.isHeld(other.id)]).to.deep.equal([true, false])
    expect(feed.end).to.equal(1)
  })

  it('takes all that is announced as long as it does not know the name of its own', async () => {
    journalName = null
    const [early, late] = [announced(OTHER), announced(OTHER)]
    run({ announcements: announcing([[early], [late]]) })
    await clock.advance(1000)
    journalName = OWN

    await clock.advance(1000)

    expect([feed.isHeld(early.id), feed.isHeld(late.id)]).to.deep.equal([true, false])
  })

  it('has the journal lack only what is of it: what was taken unnamed is heard again with the name', async () => {
    journalName = null
    const own = announced(OWN)
    run({ announcements: announcing([[own], [], [own]]) })
    await clock.advance(1000)
    const isAcknowledged = () => feed.held[0]?.at(0).isAcknowledged
    const before = { beginnings, isAcknowledged: isAcknowledged() }
    journalName = OWN

    await clock.advance(2000)

    expect(before).to.deep.equal({ beginnings: 0, isAcknowledged: false })
    expect({ beginnings, isAcknowledged: isAcknowledged() }).to.deep.equal({
      beginnings: 1,
      isAcknowledged: true,
    })
  })

  it('listens again after a Redis that did not answer', async () => {
    const own = announced(OWN)
    run({ announcements: announcing([new Error('away'), new Error('away'), [own]]) })
    await clock.advance(3399)
    const before = feed.isHeld(own.id)

    await clock.advance(1)

    expect([before, feed.isHeld(own.id)]).to.deep.equal([false, true])
  })

  it('lets go of what is past', async () => {
    feed.hear([{ id: uuidv7(), ttlMs: 1500 }])
    run()

    await clock.advance(3000)

    expect(feed.end - feed.begin).to.equal(0)
    expect(holds.map(({ denials }) => denials)).to.deep.equal([1, 1, 1, 0])
  })

  it('says when the feed begins and ceases to be complete, once each', async () => {
    run()
    await clock.advance(2000)
    isRead = false
    await clock.advance(10_000)

    expect(log.lines.map(({ level, message }) => [level, message])).to.deep.equal([
      ['info', 'the feed of denials is complete: replicas are served'],
      ['warn', 'the feed of denials is not known to be complete: replicas are sent away'],
    ])
    expect(holds.at(-1)?.isKnown).to.equal(false)
  })

  it('is held up by nothing that is done afterwards, which is never begun twice at a time', async () => {
    const ends: (() => void)[] = []
    const afterwards = async () => {
      await new Promise<void>((resolve) => ends.push(resolve))
    }
    run({ afterwards })
    await clock.advance(10_000)
    const begun = ends.length
    ends[0]?.()
    await clock.advance(1000)

    expect([begun, ends.length]).to.deep.equal([1, 2])
    expect(steps).to.have.length(12)
    expect(feed.isKnown).to.equal(true)
    ends[1]?.()
  })

  it('stops when it is told to, and tells what is done afterwards to end', async () => {
    let wasTold = false
    const afterwards = async (signal: AbortSignal) => {
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          wasTold = true
          resolve()
        })
      })
    }
    const stopping = run({ afterwards })
    await clock.advance(500)

    await stopping.stop()
    await clock.advance(10_000)

    expect(wasTold).to.equal(true)
    expect(steps).to.deep.equal([0])
  })
})
