// Which proofs in Redis are believed, and each reason for which they are not.
import { expect } from 'chai'
import type { ListedInstance } from '../../../../src/store/postgres/instances.ts'
import type { JournalClock } from '../../../../src/store/postgres/journal-reader.ts'
import { journalNameOf, type Position } from '../../../../src/store/redis/proof.ts'
import type { PartitionState } from '../../../../src/store/redis/watermarks.ts'
import { journalView, type JournalView } from '../../../../src/store/relay/journal-view.ts'
import { journalClock } from '../../../support/builders/journal-clock.ts'
import { partitionState, position } from '../../../support/builders/partition-state.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'

const ISSUER = 'https://signoff.test'
const EPOCH_MS = 1_800_000_000_000
const DATABASE_ID = '00000000-0000-4000-8000-000000000001'
const JOURNAL = journalNameOf(DATABASE_ID, ISSUER)
const LEEWAY_SECONDS = 5

describe('journalView', () => {
  let clock: FakeClock
  let view: JournalView

  beforeEach(() => {
    clock = fakeClock()
    view = journalView({ clock, issuer: ISSUER, leewaySeconds: LEEWAY_SECONDS, instanceId: 'one' })
  })

  const listed = (over: Partial<ListedInstance> = {}): ListedInstance => ({
    id: 'one',
    name: 'one',
    seenAtMs: EPOCH_MS,
    isPresent: true,
    isCommand: false,
    settings: null,
    ...over,
  })
  const note = (instances = [listed()], over: Partial<JournalClock> = {}) => {
    const read = { nowMs: EPOCH_MS, settledUpTo: EPOCH_MS, databaseId: DATABASE_ID, ...over }
    view.note({ clock: journalClock(read), askedAt: clock.steadyMs(), listed: instances })
  }
  /** Brought to the moment, by an instance that the journal's own database lists. */
  const at = (over: Partial<Position> = {}, redisNowMs = EPOCH_MS): PartitionState =>
    partitionState({ ...position({ relayedUpTo: EPOCH_MS, journalName: JOURNAL, ...over }), redisNowMs })

  it('names the journal by database and issuer, once it was read', () => {
    const before = { name: view.journalName, epoch: view.serverEpoch }
    note()

    expect(before).to.deep.equal({ name: null, epoch: null })
    expect([view.journalName, view.serverEpoch]).to.deep.equal([JOURNAL, '1-00000001'])
    expect(journalNameOf(DATABASE_ID, 'https://other.test')).not.to.equal(JOURNAL)
  })

  describe('a position', () => {
    it('is believed where nothing speaks against it', () => {
      note()

      expect(view.believesPosition(at())).to.equal(true)
    })

    it('is not, before the journal was read', () => {
      expect(view.believesPosition(at())).to.equal(false)
    })

    it('is not, where there is none', () => {
      note()

      expect(view.believesPosition(partitionState())).to.equal(false)
    })

    it('is not, of another journal', () => {
      note()

      expect(view.believesPosition(at({ journalName: '0123456789abcdef' }))).to.equal(false)
    })

    it('is not, from before Postgres started anew, or of the server that it took over from', () => {
      note([listed()], { serverEpoch: '2-00000001' })
      const restarted = view.believesPosition(at())
      note([listed()], { serverEpoch: '1-00000002' })

      expect([restarted, view.believesPosition(at())]).to.deep.equal([false, false])
    })

    it('is not, by an instance that the database does not list', () => {
      note([listed({ id: 'another' })])

      expect(view.believesPosition(at())).to.equal(false)
    })

    it('is not, by an instance that the database has not seen since: this is a copy, which the other one writes for', () => {
      note([listed({ seenAtMs: EPOCH_MS - 1, isPresent: false })])

      expect(view.believesPosition(at())).to.equal(false)
    })

    it('is, by an instance that was there when the list was read, and has gone on since', () => {
      note([listed({ seenAtMs: EPOCH_MS - 1 })])

      expect(view.believesPosition(at())).to.equal(true)
    })

    it('is, by an instance that has left since', () => {
      note([listed({ isPresent: false })])

      expect(view.believesPosition(at())).to.equal(true)
    })

    it('is not, after the clock of Redis went forward by more than the leeway: denials may have ended early', () => {
      note()
      const byMs = (ms: number) => view.believesPosition(at({ redisOffsetMs: 300 }, EPOCH_MS + 300 + ms))

      // A second of it is for the time that reading takes.
      expect([byMs(0), byMs(6000), byMs(6001)]).to.deep.equal([true, true, false])
    })

    it('is, after the clock of Redis went back: denials end late', () => {
      note()

      expect(view.believesPosition(at({}, EPOCH_MS - 3_600_000))).to.equal(true)
    })

    it('is, while the journal was not read for long: both clocks have gone on', async () => {
      note()
      await clock.advance(60_000)

      expect(view.believesPosition(at({}, EPOCH_MS + 60_000))).to.equal(true)
    })
  })

  describe('a watermark', () => {
    const watermark = { relayedUpTo: EPOCH_MS, journalName: JOURNAL, instanceId: 'one' }

    it('is believed of this journal, by an instance that is there', () => {
      note()

      expect(view.believesWatermark(watermark)).to.equal(true)
    })

    it('is not, before the journal was read', () => {
      expect(view.believesWatermark(watermark)).to.equal(false)
    })

    it('is not, of another journal', () => {
      note()

      expect(view.believesWatermark({ ...watermark, journalName: '0123456789abcdef' })).to.equal(false)
    })

    it('is believed by an instance that was seen anew, or has come onto the list, since the first reading', () => {
      const colleague = listed({ id: 'colleague' })
      const believed = (instanceId: string) => view.believesWatermark({ ...watermark, instanceId })
      note([listed(), colleague])
      note([listed(), colleague])
      const asACopyHasIt = believed('colleague')
      note([listed(), { ...colleague, seenAtMs: EPOCH_MS + 1 }, listed({ id: 'newcomer' })])

      expect(asACopyHasIt).to.equal(false)
      expect([believed('colleague'), believed('newcomer')]).to.deep.equal([true, true])
    })

    it('is not, by an instance that is not on the list, or gone', () => {
      note([listed({ id: 'another' })])
      const unlisted = view.believesWatermark(watermark)
      note([listed({ isPresent: false })])

      expect([unlisted, view.believesWatermark(watermark)]).to.deep.equal([false, false])
    })
  })

  describe('a foreign position', () => {
    it('is one of another journal, or of an instance that is not on the list', () => {
      note()

      const foreign = [{ journalName: '0123456789abcdef' }, { instanceId: 'another' }]
      expect(foreign.map((over) => view.isForeign(at(over)))).to.deep.equal([true, true])
    })

    it('is none by an instance that a Postgres which lost its last second has seen only before that', () => {
      note([listed(), listed({ id: 'old', seenAtMs: EPOCH_MS - 1 })])

      expect(view.isForeign(at({ instanceId: 'old' }))).to.equal(false)
    })

    it('is none of the server that was there before, which knew of instances that its successor has lost', () => {
      const position = at({ instanceId: 'lost', serverEpoch: '1-00000001' })
      note()
      const before = view.isForeign(position)
      note([listed()], { serverEpoch: '2-00000001' })
      const after = view.isForeign(position)
      note([listed()], { serverEpoch: '2-00000001', databaseId: '00000000-0000-4000-8000-000000000002' })
      note([listed()], { serverEpoch: '3-00000001' })

      expect([before, after, view.isForeign(position)]).to.deep.equal([true, false, true])
    })

    it('is one of a server that this one never was, also of a copy of the journal', () => {
      note()
      note([listed()], { serverEpoch: '2-00000001' })

      expect(view.isForeign(at({ instanceId: 'another', serverEpoch: '9-00000001' }))).to.equal(true)
    })

    it('is none by an instance of this deployment, whatever else is wrong with it', () => {
      note()

      const own = [at(), at({ serverEpoch: '2-00000001' }), at({}, EPOCH_MS + 3_600_000)]
      expect(own.map(view.isForeign)).to.deep.equal([false, false, false])
    })

    it('is none where there is no position, and none before the journal was read', () => {
      const before = view.isForeign(at({ instanceId: 'another' }))
      note()

      expect([before, view.isForeign(partitionState())]).to.deep.equal([false, false])
    })
  })
})
