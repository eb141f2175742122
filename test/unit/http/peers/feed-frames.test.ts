// The feed as text: what each event says, and how often it is written.
import { expect } from 'chai'
import { feedFrames, PIECE } from '../../../../src/http/peers/feed-frames.ts'
import { MEMORY_FEED_UNTIL, memoryDenialFeed } from '../../../support/fakes/memory-denial-feed.ts'
import { eventsOf } from '../../../support/clients/server-sent-events.ts'

const until = MEMORY_FEED_UNTIL
const ORIGIN_MS = 1_700_000_000_000

describe('feedFrames', () => {
  const setUp = () => {
    const feed = memoryDenialFeed()
    return { feed, frames: feedFrames(feed, ORIGIN_MS) }
  }

  it('open with the time of the request, the lease, and the age of tokens that it knows about', () => {
    const { frames } = setUp()

    const events = eventsOf(frames.open(1234.5))

    const now = ORIGIN_MS + 1234.5
    expect(events).to.deep.equal([{ event: 'open', id: null, data: { now, lease: 5, covers: 305 } }])
  })

  it('tell of up to when that was all, by the same clock, and where to resume', () => {
    const { feed, frames } = setUp()
    feed.resumeId = '1800000000000-305-0badcafe'
    feed.knowUpTo(2345.25)

    const events = eventsOf(frames.sync().toString())

    const data = { as_of: ORIGIN_MS + 2345.25 }
    expect(events).to.deep.equal([{ event: 'sync', id: '1800000000000-305-0badcafe', data }])
  })

  it('give each new denial an event, and those of before one for all', () => {
    const { feed, frames } = setUp()
    feed.deny('a', 'b:c')

    expect(eventsOf(frames.denials(0, 2).toString())).to.deep.equal([
      { event: 'deny', id: null, data: { id: 'a', until } },
      { event: 'deny', id: null, data: { id: 'b:c', until } },
    ])
    expect(eventsOf(frames.snapshot(0, 2, 0).toString())).to.deep.equal([
      {
        event: 'snapshot',
        id: null,
        data: [
          { id: 'a', until },
          { id: 'b:c', until },
        ],
      },
    ])
  })

  it('leave out what was journaled before, and keep what is not known to be', () => {
    const { feed, frames } = setUp()
    feed.denyAt('old', 999)
    feed.denyAt('new', 1000)
    feed.deny('heard of')

    const [snapshot] = eventsOf(frames.snapshot(0, 3, 1000).toString())
    const nothing = frames.snapshot(0, 1, 1000)

    expect(snapshot?.data).to.deep.equal([
      { id: 'new', until },
      { id: 'heard of', until },
    ])
    expect(nothing).to.have.length(0)
  })

  it('are written once for all who want the same', () => {
    const { feed, frames } = setUp()
    feed.denyMany(PIECE)

    const first = [frames.snapshot(0, PIECE, 0), frames.denials(0, 10)]
    const askedFor = feed.askedFor
    const again = Array.from({ length: 100 }, () => [frames.snapshot(0, PIECE, 0), frames.denials(0, 10)])

    expect(feed.askedFor).to.equal(askedFor)
    for (const frame of again) expect(frame[0] === first[0] && frame[1] === first[1]).to.equal(true)
  })

  it('keep no more than some of what was written', () => {
    const { feed, frames } = setUp()
    feed.denyMany(200)
    const first = frames.denials(0, 1)

    for (let i = 1; i < 200; i += 1) frames.denials(i, i + 1)

    expect(frames.denials(0, 1)).not.to.equal(first)
  })
})
