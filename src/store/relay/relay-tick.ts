// Every instance does this once a second: it says that it is there, looks at Redis, and relays if it is the leader.
import { within, type Clock } from '../../clock.ts'
import { AuthError } from '../../auth/errors.ts'
import type { Instances } from '../postgres/instances.ts'
import type { JournalReader } from '../postgres/journal-reader.ts'
import type { RedisDenylist } from '../redis/redis-denylist.ts'
import { leastRelayed, type PartitionState, type Watermarks } from '../redis/watermarks.ts'
import type { CleanAcks } from '../vouching/clean-acks.ts'
import { membership } from '../vouching/membership.ts'
import type { RequiredUpTo } from '../vouching/required-up-to.ts'
import type { JournalReading, JournalView } from './journal-view.ts'
import type { Leadership } from './leadership.ts'
import type { OtherDeployment } from './other-deployment.ts'

/** For a Postgres that did answer, but later than that: it is slow, not away. */
const SLOW_POSTGRES_PATIENCE_MS = 1500

export interface RelayTickDeps {
  clock: Clock
  partitions: readonly string[]
  /** For how many milliseconds Postgres is waited for; after that, watermarks are looked after without it. */
  postgresPatienceMs: number
  denylist: RedisDenylist
  required: RequiredUpTo
  watermarks: Pick<Watermarks, 'read'>
  acks: CleanAcks
  leadership: Leadership
  view: JournalView
  otherDeployment: OtherDeployment
  journal: Pick<JournalReader, 'clock'>
  instances: Instances
  onTick: (found: TickFindings) => void
  /** Hears why something failed, each time. */
  onFailure: (error: unknown) => void
}

/** A tick has found this. */
export interface TickFindings {
  /** Of the partitions that answered. */
  states: readonly PartitionState[]
  /** By the epoch clock of this instance, half way between asking for them and the answers. */
  redisReadAtEpochMs: number
  redisRoundTripMs: number
  /** `null` where it did not answer in time. */
  postgres: PostgresReading | null
  isLeader: boolean
}

export interface RelayTick {
  /** Resolves to whether Redis is not in line yet, and the next tick is to come soon. */
  tick(): Promise<boolean>
  /** Leaves the relaying to others. */
  leave(): Promise<void>
}

/** Postgres says this at one moment. */
export interface PostgresReading extends JournalReading {
  isLeader: boolean
  /** By the epoch clock of this instance, half way between asking for the clock and its answer. */
  readAtEpochMs: number
  roundTripMs: number
}

export function relayTick(deps: RelayTickDeps): RelayTick {
  const { clock, denylist, partitions, postgresPatienceMs, acks, leadership, view, instances } = deps
  /** Whether the answer that was not waited for came in the end. */
  let isSlow = false
  const member = membership(denylist.setRegisteredUntil, () => clock.steadyMs())

  return {
    tick: async () => {
      // Redis first: what it holds now is measured against what the journal says after that.
      const redis = await readRedis()
      const { states } = redis
      const asked = askPostgres(states.length > 0)
      // Where nothing stands, nothing is lost by waiting.
      const isKept = states.some(({ watermark }) => watermark !== null)
      const postgres = isKept ? await inTime(asked) : await asked
      const isLeader = postgres?.isLeader ?? leadership.isLeading
      if (postgres) member.seen(postgres.clock.nowMs)
      deps.onTick({ ...redis, postgres, isLeader })
      if (states.length > 0) await relay(states, postgres)
      return states.length > 0 && postgres !== null && !(acks.isClean && denylist.isRegistered)
    },

    leave: async () => {
      await leadership.giveUp()
      // Otherwise its word is waited for, in vain, until it is forgotten: something of it may be missing.
      if (acks.isClean) await instances.leave()
    },
  }

  /** `null` when it takes too long, or fails. */
  async function inTime(asked: Promise<PostgresReading | null>): Promise<PostgresReading | null> {
    const ms = isSlow ? SLOW_POSTGRES_PATIENCE_MS : postgresPatienceMs
    const startedAt = clock.steadyMs()
    isSlow = false
    void asked.then((postgres) => {
      isSlow = postgres !== null && clock.steadyMs() - startedAt > postgresPatienceMs
    })
    return await within(clock, { ms, late: null }, asked)
  }

  async function relay(states: readonly PartitionState[], postgres: PostgresReading | null): Promise<void> {
    const relayedUpTo = leastRelayed(states.filter(view.believesPosition), partitions)
    acks.noteRelayed(relayedUpTo)
    member.inLine(relayedUpTo)
    // A part of Redis that takes neither keeps the relay from none of the others.
    await Promise.all([
      deps.otherDeployment.look(states, postgres !== null).catch(deps.onFailure),
      acks.say(states).catch(deps.onFailure),
    ])
    try {
      if (postgres?.isLeader) await leadership.lead(states, postgres)
      else if (postgres) leadership.follow()
      else await leadership.keep(states)
    } catch (error) {
      // Another may reach a Redis that takes writes.
      if (postgres?.isLeader && !(error instanceof AuthError)) await leadership.giveUp()
      throw error
    }
  }

  /** The partitions that answer. */
  async function readRedis(): Promise<
    Pick<TickFindings, 'states' | 'redisReadAtEpochMs' | 'redisRoundTripMs'>
  > {
    const [askedAt, askedAtEpochMs] = [clock.steadyMs(), clock.epochMs()]
    const states = await deps.watermarks.read().catch((error: unknown) => {
      deps.onFailure(error)
      return []
    })
    denylist.ask(states.map(({ partition }) => partition))
    const redisReadAtEpochMs = (askedAtEpochMs + clock.epochMs()) / 2
    return { states, redisReadAtEpochMs, redisRoundTripMs: clock.steadyMs() - askedAt }
  }

  /** `null` when it does not answer. */
  async function askPostgres(canLead: boolean): Promise<PostgresReading | null> {
    const [askedAt, askedAtEpochMs] = [clock.steadyMs(), clock.epochMs()]
    try {
      const journalClock = await deps.journal.clock()
      const readAtEpochMs = (askedAtEpochMs + clock.epochMs()) / 2
      const roundTripMs = clock.steadyMs() - askedAt
      deps.required.noteClock(journalClock.nowMs, askedAt)
      // After the clock: an instance that sees a watermark from after its own start is known to who has set that.
      const [listed, isLeader] = await Promise.all([instances.present(), leadership.ask(canLead)])
      const reading = { clock: journalClock, askedAt, listed, isLeader, readAtEpochMs, roundTripMs }
      view.note(reading)
      return reading
    } catch (error) {
      deps.onFailure(error)
      return null
    }
  }
}
