// Knows what this instance has read of its own journal, and which proofs in Redis it therefore believes.
import type { Clock } from '../../clock.ts'
import type { JournalTime } from '../../contract/denylist-keys.ts'
import type { ListedInstance } from '../postgres/instances.ts'
import type { JournalClock } from '../postgres/journal-reader.ts'
import { journalNameOf, type Position, type Watermark } from '../redis/proof.ts'
import type { PartitionState } from '../redis/watermarks.ts'

/** Postgres says this at one moment: the clock first, the instances after that. */
export interface JournalReading {
  clock: JournalClock
  /** By the steady clock, before the journal's was read. */
  askedAt: number
  listed: readonly ListedInstance[]
}

export interface JournalView {
  note(reading: JournalReading): void
  /** `null` before the first reading. */
  readonly journalName: string | null
  /** Of the last reading; `null` before the first. */
  readonly serverEpoch: string | null
  /**
   * Whether the partition may be brought further from where its position says that it is. Otherwise everything is
   * written anew, which is always right.
   */
  believesPosition: (state: PartitionState) => boolean
  /** Whether a watermark may vouch here: it is of this journal, and the instance that set it is of this deployment. */
  believesWatermark: (watermark: Watermark) => boolean
  /** Whether an instance of another deployment has brought the partition to where it is. */
  isForeign: (state: PartitionState) => boolean
}

/** Clocks are read one after the other, and Postgres may take its time. */
const CLOCK_NOISE_MS = 1000
/** A position is brought further each second: none is of long ago. */
const MAX_FORMER_EPOCHS = 8

export interface JournalViewOptions {
  clock: Clock
  issuer: string
  leewaySeconds: number
  /** Of this process. */
  instanceId: string
}

export function journalView(options: JournalViewOptions): JournalView {
  const { clock, issuer, leewaySeconds, instanceId } = options
  let reading: JournalReading | null = null
  let journalName: string | null = null
  let seenAtMs = new Map<string, JournalTime>()
  let present = new Set<string>()
  const colleagues = ourInstances(instanceId)
  /** Of the same journal: what its server was before it started anew, or lost its place to another; the last ones. */
  let formerEpochs: readonly string[] = []

  function noteEpoch(before: JournalReading | null, { clock: read }: JournalReading): void {
    if (before?.clock.databaseId !== read.databaseId) formerEpochs = []
    else if (before.clock.serverEpoch !== read.serverEpoch) {
      formerEpochs = [...formerEpochs, before.clock.serverEpoch].slice(-MAX_FORMER_EPOCHS)
    }
  }

  /** Redis's clock went forward against Postgres's: denials may have expired before their time. */
  function hasJumped({ position, redisNowMs }: PartitionState): boolean {
    if (!reading || !position) return true
    const journalNowMs = reading.clock.nowMs + (clock.steadyMs() - reading.askedAt)
    const jumpedMs = redisNowMs - journalNowMs - position.redisOffsetMs
    return jumpedMs > leewaySeconds * 1000 + CLOCK_NOISE_MS
  }

  /** One that was there a moment ago may go on since the list was read: while Postgres is away, it is not read again. */
  function isPresent({ instanceId: id }: Watermark): boolean {
    return present.has(id) && colleagues.has(id)
  }

  /** A copy of the database lists the instances of before it was made, and not that they were seen later. */
  function isListedSince(position: Position): boolean {
    return isPresent(position) || (seenAtMs.get(position.instanceId) ?? -Infinity) >= position.relayedUpTo
  }

  return {
    note: (read) => {
      noteEpoch(reading, read)
      reading = read
      journalName = journalNameOf(read.clock.databaseId, issuer)
      seenAtMs = new Map(read.listed.map((instance) => [instance.id, instance.seenAtMs]))
      present = new Set(read.listed.filter((instance) => instance.isPresent).map(({ id }) => id))
      colleagues.note(read.listed)
    },
    get journalName() {
      return journalName
    },
    get serverEpoch() {
      return reading?.clock.serverEpoch ?? null
    },

    believesPosition: (state) => {
      const { position } = state
      if (!position || position.journalName !== journalName) return false
      // After a failover the journal may lack what it had, or count its time anew.
      if (position.serverEpoch !== reading?.clock.serverEpoch) return false
      return isListedSince(position) && !hasJumped(state)
    },

    believesWatermark: (watermark) => watermark.journalName === journalName && isPresent(watermark),

    // One that was seen only before that may be of a copy, or of this database before it lost its last second: of a
    // copy and its original, the original knows nothing of the other's instances, and tells. A server that takes the
    // place of another may have lost that an instance was there at all; before that one writes here again, it is listed.
    isForeign: ({ position }) => {
      if (reading === null || position === null) return false
      if (position.journalName !== journalName) return true
      return !seenAtMs.has(position.instanceId) && !formerEpochs.includes(position.serverEpoch)
    },
  }
}

/**
 * The instances that write to this database: one that is new on the list since the first reading, or was seen anew.
 * A row that came with a copy of the database says of an instance that it was there, and stays as it is.
 */
function ourInstances(instanceId: string) {
  /** When each was seen, by the last reading. */
  let seen: ReadonlyMap<string, JournalTime> | null = null
  let ours = new Set([instanceId])
  return {
    note: (listed: readonly ListedInstance[]): void => {
      const before = seen
      const isOurs = ({ id, seenAtMs }: ListedInstance): boolean =>
        ours.has(id) || (before !== null && before.get(id) !== seenAtMs)
      ours = new Set([instanceId, ...listed.filter(isOurs).map(({ id }) => id)])
      seen = new Map(listed.map(({ id, seenAtMs }) => [id, seenAtMs]))
    },
    has: (id: string): boolean => ours.has(id),
  }
}
