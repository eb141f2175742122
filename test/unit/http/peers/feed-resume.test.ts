// A replica that goes from one instance to another: it has every denial of the age that the new one says it covers.
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import type { AccessClaims } from '../../../../src/contract/claims.ts'
import { every, sleep } from '../../../../src/clock.ts'
import { feedReaders, type FeedReaders } from '../../../../src/http/peers/feed-readers.ts'
import type { Denylist } from '../../../../src/peer/denylist.ts'
import { openFeed } from '../../../../src/peer/feed/feed.ts'
import type { FetchInit, FetchResponse } from '../../../../src/peer/fetch.ts'
import { denialFeed, type FilledFeed } from '../../../../src/store/feed/denial-feed.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

interface Instance {
  feed: FilledFeed
  readers: FeedReaders
}

describe('a replica that resumes at another instance', () => {
  let clock: FakeClock
  let instances: Instance[]
  /** Where its next connection leads. */
  let target: Instance
  let lastEventIds: string[]
  let replica: Denylist | null

  beforeEach(() => {
    clock = fakeClock()
    ;[instances, lastEventIds, replica] = [[], [], null]
  })
  afterEach(async () => {
    for (const { readers } of instances) readers.close()
    await replica?.close()
  })

  /** With access tokens that last so long. */
  const started = (accessAgeSeconds: number): Instance => {
    const feed = denialFeed({ leaseSeconds: 5, accessAgeSeconds, leewaySeconds: 5 }, clock)
    const metrics = { feedReaders: () => undefined, feedReaderCut: () => undefined }
    const instance = { feed, readers: feedReaders({ feed, metrics, clock, originMs: 0, random: () => 0 }) }
    instances.push(instance)
    return instance
  }
  /** Every instance has read the journal, with these sessions ended just now. */
  const journaled = (...ended: string[]) => {
    const rows = ended.map((id) => ({ id, ttlMs: DAY_MS, seq: '1', createdAtMs: clock.epochMs() }))
    for (const { feed } of instances) {
      feed.prune()
      feed.read(rows)
      feed.journaled(clock.steadyMs(), { position: clock.epochMs(), name: 'journal' })
    }
  }
  const fetch = async (_url: string, { headers, signal }: FetchInit): Promise<FetchResponse> => {
    await Promise.resolve()
    const lastEventId = headers?.['last-event-id'] ?? ''
    lastEventIds.push(lastEventId)
    const stream = target.readers.open({ clientId: 'peer', arrivedAt: clock.steadyMs(), lastEventId })
    stream.on('error', () => undefined)
    signal?.addEventListener('abort', () => stream.destroy())
    return {
      status: 200,
      headers: { get: (name) => (name === 'content-type' ? 'text/event-stream' : null) },
      body: Readable.toWeb(stream) as ReadableStream<Uint8Array>,
    }
  }
  const opened = async (): Promise<Denylist> => {
    const denylist = openFeed(
      {
        issuer: 'https://signoff.test',
        onUnknown: 'deny',
        fetch,
        now: () => Math.floor(clock.epochMs() / 1000),
        onError: () => undefined,
      },
      { url: new URL('https://signoff.test/denylist/feed'), authorization: 'Basic' },
      {
        moment: () => ({ monotonicMs: clock.steadyMs(), epochMs: clock.epochMs() }),
        repeat: (ms, work) => every(clock, ms, work),
        pause: async (ms, signal) => {
          await sleep(clock, ms, signal)
        },
        random: () => 0,
      },
    )
    replica = denylist
    await denylist.whenKnown()
    return denylist
  }
  const checkOf = (denylist: Denylist, sid: string, ageSeconds: number) =>
    denylist.check({
      token: '',
      tokenId: `${sid}:jti`,
      claims: { sid, jti: 'jti', iat: clock.epochMs() / 1000 - ageSeconds } as AccessClaims,
    })
  /** The instance that it reads from stops, and its next connection leads there. Resolves when it is known again. */
  const movedTo = async (denylist: Denylist, next: Instance, isThere: () => boolean) => {
    const before = target
    target = next
    before.readers.close()
    const deadline = performance.now() + MINUTE_MS
    while (!isThere()) {
      if (performance.now() > deadline)
        throw new Error(`not within a minute: ${String(denylist.freshness().lastError)}`)
      await clock.advance(10)
      journaled()
      await turn()
    }
  }

  it('learns of denials that the instance before it no longer told, where tokens last longer', async () => {
    const [short, long] = [started(300), started(3000)]
    const [ended, live] = [uuidv7(), uuidv7()]
    journaled(ended)
    // Longer than a token lasts by the first instance, and not by the other.
    await clock.advance(400_000)
    journaled()
    target = short
    const denylist = await opened()
    const before = [checkOf(denylist, ended, 500), checkOf(denylist, ended, 10), short.feed.isHeld(ended)]

    await movedTo(denylist, long, () => checkOf(denylist, live, 500) === 'live')

    expect(before).to.deep.equal(['too_old', 'live', false])
    expect(checkOf(denylist, ended, 500)).to.equal('denied')
    expect(lastEventIds[1]).to.match(/^\d+-305-[0-9a-f]{8}$/)
  })

  it('is told only what is new where tokens last as long, or less long', async () => {
    const [first, second] = [started(3000), started(300)]
    const [early, late] = [uuidv7(), uuidv7()]
    journaled(early)
    await clock.advance(60_000)
    journaled()
    target = first
    const denylist = await opened()
    const told: string[] = []
    const { open } = second.readers
    second.readers.open = (request) => {
      const stream = open(request)
      stream.on('data', (chunk: Buffer) => told.push(chunk.toString()))
      return stream
    }
    journaled(late)

    await movedTo(denylist, second, () => lastEventIds.length > 1 && told.join('').includes('sync'))

    expect([checkOf(denylist, early, 10), checkOf(denylist, late, 10)]).to.deep.equal(['denied', 'denied'])
    expect(told.join('')).to.include(late).and.not.include(early)
  })
})
