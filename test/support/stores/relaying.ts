// What one process of the service relays with, each part to be moved by hand.
import { randomUUID } from 'node:crypto'
import { PARTITIONS } from '../../../src/contract/denylist-keys.ts'
import { instances } from '../../../src/store/postgres/instances.ts'
import type { JournalClock } from '../../../src/store/postgres/journal-reader.ts'
import type { RedisConnection } from '../../../src/store/redis/connection/redis-connection.ts'
import { redisWatermarks, type PartitionState, type Watermarks } from '../../../src/store/redis/watermarks.ts'
import { journalView } from '../../../src/store/relay/journal-view.ts'
import { ownPositions, type OwnPositions } from '../../../src/store/relay/own-positions.ts'
import { relayRound, type RoundProgress } from '../../../src/store/relay/relay-round.ts'
import { keepLease } from '../../../src/store/vouching/keep-lease.ts'
import { fakeClock, type FakeClock } from '../fakes/fake-clock.ts'
import { hookedJournal, type JournalHooks } from './hooked-journal.ts'
import type { PostgresStoreSubject } from './postgres-store-subject.ts'

export interface Relaying {
  instanceId: string
  /** Stands still unless the test moves it. */
  clock: FakeClock
  own: OwnPositions
  watermarks: Watermarks
  hooks: RelayingHooks
  told: RoundProgress[]
  /**
   * Reads where Redis and the journal stand, and does a round; resolves to how many denials it wrote. `over`
   * replaces what was read.
   */
  round(over?: RoundOver): Promise<number>
  /** Keeps the watermarks, as if all instances had said `knownMsAgo` that what they acknowledged is in Redis. */
  keep(knownMsAgo: number, states?: readonly PartitionState[]): Promise<void>
  /** What was written last may be gone, says its connection. */
  lose: () => void
}

export interface RelayingHooks extends JournalHooks {
  /** When Redis has taken a step, before anybody hears of it. */
  afterStep?: () => void
}

export interface RoundOver {
  states?: readonly PartitionState[]
  clock?: Partial<JournalClock>
  mayVouch?: boolean
}

/** Longer than any test takes. */
export const RIG_LEASE_MS = 3_600_000
export const RIG_ISSUER = 'https://signoff.test'
/** The clock of a relay stands still, and those of Redis and Postgres do not. */
export const RIG_LEEWAY_SECONDS = 3600

export interface RelayingDeps {
  connection: RedisConnection
  store: PostgresStoreSubject
  nonce: string
}

export function relaying({ connection, store, nonce }: RelayingDeps): Relaying {
  const clock = fakeClock()
  const instanceId = randomUUID()
  const hooks: RelayingHooks = {}
  const told: RoundProgress[] = []
  const losses: (() => void)[] = []
  const own = ownPositions({ onLoss: (listener) => losses.push(listener) })
  const view = journalView({ clock, issuer: RIG_ISSUER, leewaySeconds: RIG_LEEWAY_SECONDS, instanceId })
  const present = instances(store.postgres, { id: instanceId, name: 'test' })
  const watermarks = hookedSteps(redisWatermarks({ connection, partitions: PARTITIONS, nonce }), hooks)
  const deps = {
    clock,
    instanceId,
    leaseMs: RIG_LEASE_MS,
    watermarks,
    own,
    view,
    journal: hookedJournal(store.journal, hooks),
    onRound: (progress: RoundProgress) => told.push(progress),
    onFailure: () => undefined,
  }

  return {
    instanceId,
    clock,
    own,
    watermarks,
    hooks,
    told,
    round: async ({ states, clock: over, mayVouch = true } = {}) => {
      const read = states ?? (await watermarks.read())
      const journalClock = { ...(await store.journal.clock()), ...over }
      view.note({ clock: journalClock, askedAt: clock.steadyMs(), listed: await present.present() })
      await relayRound(deps, { states: read, clock: journalClock, mayVouch })
      return told.at(-1)?.written ?? NaN
    },
    keep: async (knownMsAgo, states) => {
      const acks = { oldestAgeMs: async () => await Promise.resolve(knownMsAgo) }
      await keepLease({ ...deps, acks }, states ?? (await watermarks.read()), [instanceId])
    },
    lose: () => {
      for (const listener of losses) listener()
    },
  }
}

function hookedSteps(watermarks: Watermarks, hooks: RelayingHooks): Watermarks {
  return {
    ...watermarks,
    step: async (steps) => {
      const taken = await watermarks.step(steps)
      hooks.afterStep?.()
      return taken
    },
  }
}
