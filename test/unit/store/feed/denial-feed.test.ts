// The feed of one instance: for how long denials are in it, when it may be believed, and where its readers resume.
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import type { JournalRow } from '../../../../src/store/postgres/journal-reader.ts'
import { denialFeed, type FeedTimes, type FilledFeed } from '../../../../src/store/feed/denial-feed.ts'

const EPOCH_MS = 1_800_000_000_000
const DAY_MS = 86_400_000
const TIMES: FeedTimes = { leaseSeconds: 5, accessAgeSeconds: 300, leewaySeconds: 5 }
/** Of an access token, of clocks twice and of it being accepted late, of the lease, and some slack. */
const WINDOW_MS = (300 + 5 + 5 + 2 * 5 + 6) * 1000
/** How far before it a reader of the journal begins, for rows that commit late. */
const OVERLAP_MS = 10_000

describe('denialFeed', () => {
  let clocks: { epoch: number; steady: number }
  let feed: FilledFeed
  let news: number

  beforeEach(() => {
    clocks = { epoch: EPOCH_MS, steady: 50_000 }
    feed = newFeed()
    news = 0
    feed.onNews(() => {
      news += 1
    })
  })

  const newFeed = (over: Partial<FeedTimes> = {}, maxHeld?: number) =>
    denialFeed(
      { ...TIMES, ...over },
      { epochMs: () => clocks.epoch, steadyMs: () => clocks.steady, after: () => () => undefined },
      maxHeld,
    )
  const journaled = (asOf: number, position = EPOCH_MS, { name = 'journal', of = feed } = {}) => {
    of.journaled(asOf, { position, name })
  }
  const pass = (ms: number) => {
    clocks.epoch += ms
    clocks.steady += ms
  }
  const row = (parts: Partial<JournalRow> = {}): JournalRow => ({
    id: uuidv7(),
    ttlMs: DAY_MS,
    seq: '1',
    createdAtMs: EPOCH_MS,
    ...parts,
  })
  const held = () => Array.from({ length: feed.end - feed.begin }, (_, i) => feed.at(feed.begin + i))

  it('answers for tokens as old as one can be', () => {
    expect(feed.coversSeconds).to.equal(305)
    expect(feed.windowMs).to.equal(WINDOW_MS)
  })

  describe('what it holds', () => {
    it('is a session until its last access token is refused everywhere, or until its denial ends', () => {
      feed.read([row(), row({ ttlMs: 20_500 })])

      const secondsLeft = held().map(({ until }) => until - EPOCH_MS / 1000)
      expect(secondsLeft).to.deep.equal([WINDOW_MS / 1000 + 1, 22])
    })

    it('is what commits late for as long: until it was seen, tokens were issued', () => {
      feed.read([row({ createdAtMs: EPOCH_MS - 120_000 })])

      expect(held()[0]?.until).to.equal((EPOCH_MS + WINDOW_MS) / 1000 + 1)
    })

    it('is what commits later than a token can be old', () => {
      feed.read([row({ createdAtMs: EPOCH_MS - 2 * DAY_MS })])

      expect(held()[0]?.until).to.equal((EPOCH_MS + WINDOW_MS) / 1000 + 1)
    })

    it('is one token of a session, too, and no foreign one', () => {
      const id = `${uuidv7()}:${uuidv4()}`

      feed.hear([
        { id, ttlMs: 1000 },
        { id: 'ab'.repeat(32), ttlMs: 1000 },
      ])

      expect(held().map((denial) => denial.id)).to.deep.equal([id])
    })

    it('is nothing that is over already, or that lasts for no number of milliseconds', () => {
      feed.hear([
        { id: uuidv7(), ttlMs: 0 },
        { id: uuidv7(), ttlMs: NaN },
      ])

      expect(held()).to.be.empty
      expect(news).to.equal(0)
    })

    it('is told of once, however often the journal is read', () => {
      const denied = row()
      for (let i = 0; i < 30; i += 1) {
        feed.read([denied])
        pass(1000)
      }

      expect(held()).to.have.length(1)
      expect(news).to.equal(1)
    })

    it('has the time of the journal as soon as that has it', () => {
      const denied = row()
      feed.hear([denied])
      const before = held()[0]?.createdAtMs
      feed.read([denied])

      expect([before, held()[0]?.createdAtMs]).to.deep.equal([Infinity, EPOCH_MS])
      expect(held()).to.have.length(1)
    })

    it('goes when it is past', () => {
      feed.read([row()])
      pass(WINDOW_MS + 1000)
      feed.prune()
      const before = held().length
      pass(1)
      feed.prune()

      expect([before, held().length]).to.deep.equal([1, 0])
    })

    it('stays when the clock is set', () => {
      feed.read([row()])
      clocks.epoch += DAY_MS
      feed.prune()

      expect(held()).to.have.length(1)
    })
  })

  describe('when it is believed', () => {
    it('is not before the journal was read', () => {
      feed.hear([row()])

      expect(feed.isKnown).to.equal(false)
    })

    it('is for a lease from when the question was asked', () => {
      journaled(48_000)
      pass(3000)
      const before = feed.isKnown
      pass(1)

      expect([before, feed.isKnown]).to.deep.equal([true, false])
    })

    it('goes on with what was vouched for, and resumes where the journal was', () => {
      journaled(48_000)
      feed.vouched(49_000)
      pass(4000)

      expect(feed).to.include({ isKnown: true, asOf: 49_000, position: EPOCH_MS })
    })

    it('never goes back', () => {
      journaled(48_000)
      feed.vouched(47_000)
      journaled(46_000, EPOCH_MS + 1)

      expect(feed).to.include({ asOf: 48_000, position: EPOCH_MS + 1 })
    })
  })

  describe('where a reader resumes', () => {
    it('is from where rows may have committed since, at any instance on the same journal', () => {
      const other = newFeed()
      journaled(48_000, EPOCH_MS + 0.75)
      journaled(48_000, EPOCH_MS + 5000, { of: other })

      expect(feed.resumeId).to.match(new RegExp(`^${EPOCH_MS - OVERLAP_MS}-305-[0-9a-f]{8}$`))
      expect(other.resumeFrom(feed.resumeId)).to.equal(EPOCH_MS - OVERLAP_MS)
    })

    it('is at the beginning after a feed that covers less, and not after one that covers more', () => {
      const longer = newFeed({ accessAgeSeconds: 3000 })
      for (const of of [feed, longer]) journaled(48_000, EPOCH_MS, { of })

      expect(longer.resumeFrom(feed.resumeId)).to.equal(null)
      expect(feed.resumeFrom(longer.resumeId)).to.equal(EPOCH_MS - OVERLAP_MS)
    })

    it('is at the beginning after another journal: its time says nothing of this one', () => {
      const other = newFeed()
      journaled(48_000)
      journaled(48_000, EPOCH_MS, { name: 'other', of: other })

      expect(feed.resumeFrom(other.resumeId)).to.equal(null)
    })

    it('is at the beginning of a feed that has not read its journal, and after one', () => {
      const [idOfUnread, other] = [feed.resumeId, newFeed()]
      journaled(48_000, EPOCH_MS, { of: other })

      expect([feed.resumeFrom(other.resumeId), feed.resumeFrom(idOfUnread)]).to.deep.equal([null, null])
      expect(other.resumeFrom(idOfUnread)).to.equal(null)
    })

    it('is at the beginning after a text of another form', () => {
      journaled(48_000)
      const [, , tag = ''] = feed.resumeId.split('-')

      const texts = [
        '',
        '1800000000000',
        `1-305-${tag} `,
        `-1-305-${tag}`,
        `1e9-305-${tag}`,
        `1-305-${tag}-1`,
      ]
      for (const text of [...texts, `${'9'.repeat(16)}-305-${tag}`, `1-${'9'.repeat(10)}-${tag}`])
        expect(feed.resumeFrom(text), text).to.equal(null)
      expect(feed.resumeFrom(`1-305-${tag}`)).to.equal(1)
    })
  })

  it('is not known after the machine slept, until it has read on', () => {
    journaled(clocks.steady)
    clocks.epoch += 6000

    expect(feed.isKnown).to.equal(false)
    clocks.steady += 1
    journaled(clocks.steady, EPOCH_MS + 6000)
    expect(feed.isKnown).to.equal(true)
  })

  it('is not known while it lacks room, and reads everything again when it has some', () => {
    const small = newFeed({}, 2)
    small.read([row(), row(), row()])
    journaled(clocks.steady, EPOCH_MS, { of: small })
    const whenFull = { isKnown: small.isKnown, held: small.end - small.begin, position: small.position }

    pass(WINDOW_MS + 2000)
    small.prune()
    small.read([row()])
    journaled(clocks.steady, EPOCH_MS + WINDOW_MS, { of: small })

    expect(whenFull).to.deep.equal({ isKnown: false, held: 2, position: 0 })
    expect(small.isKnown).to.equal(true)
  })

  it('tells of denials and of each time up to which they are all', () => {
    feed.read([row(), row()])
    feed.hear([row()])
    journaled(1)
    feed.vouched(2)

    expect(news).to.equal(4)
  })
})
