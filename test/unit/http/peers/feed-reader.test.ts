// One reader of the feed: what it gets, in which order, and only as fast as it reads.
import { expect } from 'chai'
import { feedFrames } from '../../../../src/http/peers/feed-frames.ts'
import { feedReader, type FeedNews, type FeedReader } from '../../../../src/http/peers/feed-reader.ts'
import { memoryDenialFeed, type MemoryDenialFeed } from '../../../support/fakes/memory-denial-feed.ts'
import { eventsOf, type ServerSentEvent } from '../../../support/clients/server-sent-events.ts'

interface Subject {
  feed: MemoryDenialFeed
  reader: FeedReader
  /** Brings the reader up to what the feed has now. */
  bring: (asOf?: number) => void
  gone: FeedReader[]
  /** Lets time go by. */
  pass: (ms: number) => void
}

const ORIGIN_MS = 1_700_000_000_000

const turn = async () => {
  await new Promise((resolve) => setImmediate(resolve))
}

describe('feedReader', () => {
  /** Of a feed that holds `denials` already. */
  const open = (denials: number): Subject => {
    const feed = memoryDenialFeed()
    feed.denyMany(denials)
    return openOn(feed)
  }
  const openOn = (feed: MemoryDenialFeed, lastEventId = ''): Subject => {
    const frames = feedFrames(feed, ORIGIN_MS)
    let nowMs = 0
    const newsNow = (number: number): FeedNews => ({ number, end: feed.end, sync: frames.sync() })
    let news = newsNow(1)
    const gone: FeedReader[] = []
    const reader = feedReader(
      { feed, frames, news: () => news, onGone: (one) => gone.push(one), now: () => nowMs },
      { arrivedAt: 0, lastEventId },
    )
    const bring = (asOf?: number): void => {
      if (asOf !== undefined) feed.knowUpTo(asOf)
      news = newsNow(news.number + (asOf === undefined ? 0 : 1))
      reader.serve()
    }
    const pass = (ms: number): void => {
      nowMs += ms
    }
    return { feed, reader, bring, gone, pass }
  }
  /** All that it hands out now. */
  const read = async ({ reader }: Subject): Promise<ServerSentEvent[]> => {
    let text = ''
    for (;;) {
      const chunk = reader.stream.read() as Buffer | null
      if (chunk === null) await turn()
      else text += chunk.toString()
      if (chunk === null && reader.stream.readableLength === 0) break
    }
    return text === '' ? [] : eventsOf(text)
  }
  const names = (events: ServerSentEvent[]) => events.map(({ event }) => event)
  const idsOf = (events: ServerSentEvent[]) =>
    events.flatMap(({ event, data }) =>
      event === 'deny' || event === 'snapshot'
        ? (Array.isArray(data) ? (data as { id: string }[]) : [data as { id: string }]).map(({ id }) => id)
        : [],
    )

  it('gets the opening, all there is in pieces, and then up to when that is all', async () => {
    const subject = open(1100)

    const events = await read(subject)

    expect(names(events)).to.deep.equal(['open', 'snapshot', 'snapshot', 'snapshot', 'sync'])
    expect(idsOf(events)).to.deep.equal(Array.from({ length: 1100 }, (_, i) => `id-${i}`))
  })

  it('begins with what is still held, in the pieces of those who came earlier', async () => {
    const feed = memoryDenialFeed()
    feed.denyMany(700)
    feed.begin = 100

    const events = await read(openOn(feed))

    const sizes = events.map(({ data }) => (Array.isArray(data) ? data.length : 0))
    expect(sizes).to.deep.equal([0, 412, 188, 0])
  })

  it('gets what comes later one by one, and each time behind all denials of before it', async () => {
    const subject = open(0)
    await read(subject)

    subject.feed.deny('a', 'b')
    subject.bring()
    const denied = await read(subject)
    subject.feed.deny('c')
    subject.bring(77)
    const synced = await read(subject)

    expect([names(denied), idsOf(denied)]).to.deep.equal([
      ['deny', 'deny'],
      ['a', 'b'],
    ])
    expect(names(synced)).to.deep.equal(['deny', 'sync'])
    expect(synced[1]?.data).to.deep.equal({ as_of: ORIGIN_MS + 77 })
  })

  it('gets each time once, and nothing while there is nothing', async () => {
    const subject = open(0)
    await read(subject)

    for (let i = 0; i < 5; i += 1) subject.bring()

    expect(await read(subject)).to.be.empty
  })

  it('gets no time of denials that it has not read, nor more than it has room for', async () => {
    const subject = open(0)
    await read(subject)
    subject.feed.denyMany(20_000)
    subject.bring(77)

    const buffered = subject.reader.stream.readableLength
    subject.feed.denyMany(5)
    subject.bring(78)
    const events = await read(subject)

    expect(buffered).to.be.below(2 * 64 * 1024)
    expect(names(events).indexOf('sync')).to.equal(20_005)
    expect(names(events)).to.have.length(20_006)
    expect(events.at(-1)?.data).to.deep.equal({ as_of: ORIGIN_MS + 78 })
  })

  it('is spared what was over before it came to that', async () => {
    const subject = open(0)
    await read(subject)
    subject.feed.denyMany(10)
    subject.feed.begin = 8
    subject.bring()

    expect(idsOf(await read(subject))).to.deep.equal(['id-8', 'id-9'])
  })

  it('that resumes gets what was journaled since, or is not known to be before, and what is later', async () => {
    const feed = memoryDenialFeed()
    feed.denyAt('had', 89_999)
    feed.denyAt('perhaps', 90_000)
    feed.deny('heard of')
    const subject = openOn(feed, '90000')
    const first = await read(subject)
    feed.denyAt('late', 1000)
    subject.bring()

    expect(idsOf(first)).to.deep.equal(['perhaps', 'heard of'])
    expect(idsOf(await read(subject))).to.deep.equal(['late'])
  })

  it('that resumes where nothing is new gets the time alone', async () => {
    const feed = memoryDenialFeed()
    for (let i = 0; i < 600; i += 1) feed.denyAt(`old-${i}`, 1000)

    expect(names(await read(openOn(feed, '100000')))).to.deep.equal(['open', 'sync'])
  })

  it('gets everything where it comes with an id that leads nowhere', async () => {
    const feed = memoryDenialFeed()
    for (let i = 0; i < 600; i += 1) feed.denyAt(`old-${i}`, 1000)

    const events = await read(openOn(feed, 'of another journal'))

    expect(names(events)).to.deep.equal(['open', 'snapshot', 'snapshot', 'sync'])
  })

  it('is let go when it has all it was given', async () => {
    const subject = open(0)
    subject.reader.stream.read(0)
    subject.reader.dismiss()
    subject.reader.dismiss()
    subject.feed.deny('a')
    subject.bring()

    const events = await read(subject)
    await turn()

    expect(names(events)[0]).to.equal('open')
    expect(idsOf(events)).to.be.empty
    expect(subject.reader.stream.readableEnded).to.equal(true)
    expect(subject.gone).to.deep.equal([subject.reader])
  })

  it('is gone as soon as its connection is', async () => {
    const subject = open(2000)
    subject.reader.stream.read()
    subject.reader.stream.destroy()
    await turn()
    subject.bring(77)

    expect(subject.gone).to.deep.equal([subject.reader])
  })

  it('is stalled for as long as it leaves unread what it got', async () => {
    const subject = open(0)
    await read(subject)
    const idle = subject.reader.stalledMs()
    subject.feed.denyMany(5000)
    subject.bring()
    subject.pass(20)
    const stalled = subject.reader.stalledMs()
    await read(subject)

    expect(idle).to.equal(0)
    expect(stalled).to.equal(20)
    expect(subject.reader.stalledMs()).to.equal(0)
  })
})
