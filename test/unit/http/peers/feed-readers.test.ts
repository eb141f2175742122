// All who read the feed: who is let in, who is sent away, and that none holds up another.
import type { Readable } from 'node:stream'
import { expect } from 'chai'
import { AuthError } from '../../../../src/auth/errors.ts'
import { feedPlaces } from '../../../../src/http/peers/feed-places.ts'
import { feedReaders, type FeedReaders } from '../../../../src/http/peers/feed-readers.ts'
import { memoryDenialFeed, type MemoryDenialFeed } from '../../../support/fakes/memory-denial-feed.ts'
import { eventsOf, type ServerSentEvent } from '../../../support/clients/server-sent-events.ts'

const MINUTE_MS = 60_000

describe('feedReaders', () => {
  let feed: MemoryDenialFeed
  let readers: FeedReaders
  let nowMs: number
  let counts: number[]
  let cut: number
  let timers: (() => void)[]

  beforeEach(() => {
    timers = []
    feed = memoryDenialFeed()
    feed.knowUpTo(0)
    nowMs = 0
    counts = []
    cut = 0
    readers = feedReaders(deps())
  })
  afterEach(() => {
    readers.close()
  })

  const deps = () => ({
    feed,
    metrics: { feedReaders: (count: number) => counts.push(count), feedReaderCut: () => (cut += 1) },
    clock: {
      epochMs: () => nowMs,
      steadyMs: () => nowMs,
      after: (_ms: number, callback: () => void) => {
        timers.push(callback)
        return () => {
          timers = timers.filter((other) => other !== callback)
        }
      },
    },
  })

  const open = (clientId = 'shop') => readers.open({ clientId, arrivedAt: 0, lastEventId: '' })
  /** What it has been handed; goes on growing. */
  const reading = (stream: Readable): string[] => {
    const chunks: string[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
    return chunks
  }
  const until = async (condition: () => boolean) => {
    const deadline = performance.now() + MINUTE_MS
    while (!condition()) {
      if (performance.now() > deadline) throw new Error('not within a minute')
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  const passInSilence = (ms: number) => {
    nowMs += ms
    for (const ring of timers.splice(0)) ring()
  }
  const pass = (ms: number) => {
    feed.knowUpTo(nowMs + ms)
    passInSilence(ms)
  }
  const outcomeOf = (clientId = 'shop') => {
    try {
      return open(clientId)
    } catch (error) {
      return error instanceof AuthError ? error.code : error
    }
  }
  const idsOf = (chunks: string[]) =>
    eventsOf(chunks.join(''))
      .filter(({ event }) => event === 'deny')
      .map(({ data }) => (data as { id: string }).id)
  const lastOf = (chunks: string[]): ServerSentEvent | undefined => eventsOf(chunks.join('')).at(-1)

  it('hand every denial to every reader, and up to when that was all', async () => {
    const all = [open(), open(), open()].map(reading)

    feed.deny('a')
    feed.deny('b')
    feed.knowUpTo(77)
    await until(() =>
      all.every((chunks) => chunks.join('').includes(`"as_of":${performance.timeOrigin + 77}}`)),
    )
    feed.deny('c')
    await until(() => all.every((chunks) => chunks.join('').includes('"c"')))

    for (const chunks of all) expect(idsOf(chunks)).to.deep.equal(['a', 'b', 'c'])
    for (const chunks of all) expect(lastOf(chunks)?.event).to.equal('deny')
  })

  it('miss nothing that comes while readers are served, nor one who comes then', async () => {
    const early = Array.from({ length: 200 }, () => reading(open()))
    const late: string[][] = []
    for (let i = 0; i < 50; i += 1) {
      feed.deny(`n-${i}`)
      await new Promise((resolve) => setImmediate(resolve))
      if (i === 25) late.push(reading(open()))
    }
    await until(() => [...early, ...late].every((chunks) => chunks.join('').includes('"n-49"')))

    const expected = Array.from({ length: 50 }, (_, i) => `n-${i}`)
    for (const chunks of early) expect(idsOf(chunks)).to.deep.equal(expected)
    const [snapshot, ...rest] = eventsOf((late[0] ?? []).join('')).slice(1)
    const inSnapshot = (snapshot?.data as { id: string }[]).map(({ id }) => id)
    const later = rest.flatMap(({ event, data }) => (event === 'deny' ? [(data as { id: string }).id] : []))
    expect([...inSnapshot, ...later]).to.deep.equal(expected)
  })

  it('write each denial once for a thousand readers', async () => {
    const all = Array.from({ length: 1000 }, (_, index) => reading(open(`peer-${index % 2}`)))
    await until(() => all.every((chunks) => chunks.length > 0))

    feed.denyMany(100)
    await until(() => all.every((chunks) => chunks.join('').includes('id-99')))

    expect(feed.askedFor).to.equal(100)
  })

  it('serve the others while one does not read, and cut that one after ten seconds', async () => {
    const stuck = open()
    stuck.read(0)
    stuck.on('error', () => undefined)
    const chunks = reading(open())
    feed.denyMany(5000)
    await until(() => chunks.join('').includes('id-4999'))

    pass(10_000)
    const before = stuck.destroyed
    pass(1)

    expect([before, stuck.destroyed, cut]).to.deep.equal([false, true, 1])
    await until(() => counts.at(-1) === 1)
  })

  it('send a reader away, in good order, after eight to ten minutes', async () => {
    const stream = open()
    const chunks = reading(stream)
    await until(() => chunks.length > 0)
    pass(8 * MINUTE_MS - 1)
    await new Promise((resolve) => setImmediate(resolve))
    const before = stream.readableEnded

    pass(2 * MINUTE_MS + 1)
    await until(() => stream.readableEnded)

    expect(before).to.equal(false)
    expect(cut).to.equal(0)
    await until(() => counts.at(-1) === 0)
  })

  it('cut a reader that was sent away and does not read its end', async () => {
    const stream = open()
    stream.on('error', () => undefined)
    stream.read(0)
    await until(() => stream.readableLength > 0)
    pass(10 * MINUTE_MS)

    pass(10_000)
    const before = stream.destroyed
    pass(1)

    expect([before, stream.destroyed, cut]).to.deep.equal([false, true, 1])
    await until(() => counts.at(-1) === 0)
  })

  it('let nobody in while the feed cannot tell, and send those away who are there', async () => {
    const stream = open()
    reading(stream)
    feed.isKnown = false

    const outcome = outcomeOf()
    pass(1000)
    await until(() => stream.readableEnded)

    expect(outcome).to.equal('unavailable')
  })

  it('do the same while what is known is older than seven tenths of the lease', async () => {
    const stream = open()
    reading(stream)
    passInSilence(3500)
    const before = [stream.readableEnded, outcomeOf()]

    passInSilence(1)
    await until(() => stream.readableEnded)

    expect(before[0]).to.equal(false)
    expect(before[1]).to.be.an('object')
    expect(outcomeOf()).to.equal('unavailable')
  })

  it('let no more than 5,000 in, and the next as soon as one has gone', async () => {
    const streams = Array.from({ length: 5000 }, (_, index) => open(`peer-${index % 10}`))
    const outcome = outcomeOf('peer-10')
    streams[0]?.destroy()
    await until(() => counts.at(-1) === 4999)

    expect(outcome).to.equal('unavailable')
    expect(outcomeOf('peer-10')).to.be.an('object')
  })

  it('let no more than 500 in of one peer, and the other peers all the same', () => {
    for (let number = 0; number < 500; number += 1) open('greedy')

    expect(outcomeOf('greedy')).to.equal('unavailable')
    expect(outcomeOf('shop')).to.be.an('object')
  })

  it('give a place back to its peer once, however the reader goes', async () => {
    readers.close()
    readers = feedReaders({ ...deps(), places: feedPlaces({ places: 3, placesOfPeer: 2 }) })
    const [destroyed, cutOff, other] = [open('shop'), open('shop'), open('other')]
    for (const stream of [destroyed, cutOff, other]) stream.on('error', () => undefined)
    const full = [outcomeOf('shop'), outcomeOf('other'), outcomeOf('third')]

    destroyed.destroy()
    destroyed.destroy()
    cutOff.destroy(new Error('cut'))
    await until(() => counts.at(-1) === 1)
    const again = [outcomeOf('shop'), outcomeOf('shop'), outcomeOf('shop')]

    expect(full).to.deep.equal(['unavailable', 'unavailable', 'unavailable'])
    expect(again.map((outcome) => typeof outcome)).to.deep.equal(['object', 'object', 'string'])
  })

  it('send everybody away when they close, and let nobody in any more', async () => {
    const streams = [open(), open()]
    for (const stream of streams) reading(stream)

    readers.close()
    await until(() => streams.every((stream) => stream.readableEnded))

    expect(outcomeOf()).to.equal('unavailable')
  })
})
