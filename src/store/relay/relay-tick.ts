// What every instance does once a second: says that it is there, looks at Redis, and relays if it is the one to do so.
import { setTimeout as sleep } from 'node:timers/promises'
import { AuthError } from '../../auth/errors.ts'
import { PARTITIONS } from '../../contract/denylist-keys.ts'
import type { InstanceAcks } from '../redis/instance-acks.ts'
import type { Instances } from '../postgres/instances.ts'
import type { Watermarks, PartitionState } from '../redis/watermarks.ts'
import type { JournalTime } from '../../contract/denylist-keys.ts'
import type { JournalClock, JournalReader } from '../postgres/journal-reader.ts'
import { membership } from '../vouching/membership.ts'
import type { RedisDenylist } from '../redis/redis-denylist.ts'
import type { LeaderLock } from './leader-lock.ts'
import type { Relayer } from './relay-round.ts'

/** Longer than that, and the watermarks that stand are looked after without Postgres. */
const POSTGRES_PATIENCE_MS = 500
/** For one that did answer, but later than that: it is slow, not away. */
const SLOW_POSTGRES_PATIENCE_MS = 1500

export interface RelayTickDeps {
  denylist: RedisDenylist
  partitions: Watermarks
  clean: InstanceAcks
  relayer: Relayer
  journal: JournalReader
  lock: LeaderLock
  instances: Instances
  /** Whether Redis is one that may be relayed to. */
  mayRelay: () => boolean
  onTick: (found: TickFindings) => void
  /** Hears why something failed, each time. */
  onFailure: (error: unknown) => void
}

/** What a tick has found. */
export interface TickFindings {
  /** Of the partitions that answered. */
  states: PartitionState[]
  /** `null` where it did not answer in time. */
  postgres: JournalClock | null
  isLeader: boolean
}

export interface RelayTick {
  /** Resolves to whether Redis is not in line yet, and the next tick is to come soon. */
  tick(): Promise<boolean>
  /** Leaves the relaying to others. */
  leave(): Promise<void>
}

/** What Postgres says at one moment. */
interface PostgresView extends JournalClock {
  isLeader: boolean
  instanceIds: string[]
}

export function relayTick(deps: RelayTickDeps): RelayTick {
  const { denylist, clean, relayer, lock, instances } = deps
  /** Those that answer for what is in Redis; `null` when this is not the one that relays. */
  let answerable: string[] | null = null
  /** The journal is in every part of Redis up to here, as of the last tick. */
  let relayedUpTo: JournalTime = 0
  /** Whether the answer that was not waited for came in the end. */
  let isSlow = false
  const member = membership(denylist.setKnownUntil)

  return {
    tick: async () => {
      // Redis first: what it holds now is measured against what the journal says after that.
      const redis = await askRedis(deps)
      const asked = askPostgres(deps, async () => await askForLead(redis !== null && deps.mayRelay()))
      // Where nothing stands, nothing is lost by waiting.
      const isKept = redis?.states.some(({ isSynced }) => isSynced)
      const view = isKept ? await inTime(asked) : await asked
      const isLeader = view?.isLeader ?? answerable !== null
      if (view) member.seen(view.nowMs)
      deps.onTick({ states: redis?.states ?? [], postgres: view, isLeader })
      if (redis) await relay(redis, view)
      return redis !== null && view !== null && !(isClean() && denylist.isKnown)
    },

    leave: async () => {
      await giveUpLead()
      // Else its word is waited for, in vain, until it is forgotten: something of it may be missing.
      if (isClean()) await instances.leave()
    },
  }

  /** Whether each part of Redis holds all that this instance has acknowledged so far, and so do the feeds. */
  function isClean(): boolean {
    return relayedUpTo > denylist.cleanAfter
  }

  async function askForLead(canLead: boolean): Promise<boolean> {
    if (canLead) return await lock.hold()
    await giveUpLead()
    return false
  }

  async function giveUpLead(): Promise<void> {
    const wasLeading = answerable !== null
    follow()
    if (wasLeading) await lock.release()
  }

  /** `null` when it takes too long, or fails. */
  async function inTime(asked: Promise<PostgresView | null>): Promise<PostgresView | null> {
    const patienceMs = isSlow ? SLOW_POSTGRES_PATIENCE_MS : POSTGRES_PATIENCE_MS
    const startedAt = performance.now()
    isSlow = false
    void asked.then((view) => {
      isSlow = view !== null && performance.now() - startedAt > POSTGRES_PATIENCE_MS
    })
    return await Promise.race([asked, sleep(patienceMs, null, { ref: false })])
  }

  /** From now on others answer for what is in Redis, and what they know of each other is not known here. */
  function follow(): void {
    if (answerable !== null) relayer.forget()
    answerable = null
  }

  async function relay({ states, clockMs }: RedisView, view: PostgresView | null): Promise<void> {
    relayedUpTo = upToWhen(states)
    member.inLine(relayedUpTo)
    try {
      if (isClean() && clockMs !== null) await clean.say(clockMs)
      if (view?.isLeader) await lead(states, view)
      else if (view) follow()
      else await keepLease(states)
    } catch (error) {
      // Another may reach a Redis that takes writes.
      if (view?.isLeader && !(error instanceof AuthError)) await giveUpLead()
      throw error
    }
  }

  async function lead(states: PartitionState[], { settledUpTo, instanceIds }: PostgresView): Promise<void> {
    // Who is gone by now may have acknowledged what only this round brings in.
    answerable = [...new Set([...(answerable ?? []), ...instanceIds])]
    await lock.during(async () => {
      await relayer.round(states, settledUpTo)
    })
    answerable = instanceIds
  }

  /** Nothing is acknowledged without Postgres; what was must be in Redis, by the word of every instance. */
  async function keepLease(states: PartitionState[]): Promise<void> {
    if (!answerable || !deps.mayRelay()) return
    const ageMs = await clean.oldestAgeMs(answerable)
    if (ageMs !== null) await relayer.extend(states, ageMs)
  }
}

/** Up to when the journal is in every partition. */
function upToWhen(states: PartitionState[]): JournalTime {
  return states.length < PARTITIONS.length ? 0 : Math.min(...states.map(({ relayedUpTo }) => relayedUpTo))
}

interface RedisView {
  /** Of the partitions that answered. */
  states: PartitionState[]
  /** Of the Redis that keeps this instance's word; `null` where that one did not answer. */
  clockMs: number | null
}

async function askRedis({
  denylist,
  partitions,
  clean,
  onFailure,
}: RelayTickDeps): Promise<RedisView | null> {
  const failed = (error: unknown): null => {
    onFailure(error)
    return null
  }
  const [states, clockMs] = await Promise.all([partitions.read().catch(failed), clean.clock().catch(failed)])
  denylist.ask((states ?? []).filter(({ isSynced }) => isSynced).map(({ partition }) => partition))
  return states && { states, clockMs }
}

/** `null` when it does not answer. */
async function askPostgres(
  { denylist, journal, instances, onFailure }: RelayTickDeps,
  askForLead: () => Promise<boolean>,
): Promise<PostgresView | null> {
  const askedAt = performance.now()
  try {
    const clock = await journal.clock()
    denylist.noteClock(clock.nowMs, askedAt)
    // After the clock: who sees a watermark from after its own start is known to whoever has set that.
    const [instanceIds, isLeader] = await Promise.all([instances.present(), askForLead()])
    return { ...clock, instanceIds, isLeader }
  } catch (error) {
    onFailure(error)
    return null
  }
}
