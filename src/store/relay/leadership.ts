// The instance that leads does this: it relays, sweeps, and keeps the watermarks while the journal cannot be read.
import { AuthError } from '../../auth/errors.ts'
import type { JournalReader } from '../postgres/journal-reader.ts'
import type { InstanceAcks } from '../redis/instance-acks.ts'
import type { PartitionState, Watermarks } from '../redis/watermarks.ts'
import { keepLease } from '../vouching/keep-lease.ts'
import type { JournalReading } from './journal-view.ts'
import type { LeaderLock } from './leader-lock.ts'
import type { OtherDeployment } from './other-deployment.ts'
import { relayRound, type RelayRoundDeps } from './relay-round.ts'
import type { Sweep } from './sweep.ts'

export interface LeadershipDeps extends RelayRoundDeps {
  watermarks: Watermarks
  acks: InstanceAcks
  otherDeployment: Pick<OtherDeployment, 'isSeen'>
  sweep: Sweep
  journal: JournalReader
  lock: LeaderLock
  /** Whether Redis is one that may be relayed to. */
  mayRelay: () => boolean
}

export interface Leadership {
  readonly isLeading: boolean
  /** Takes the lead if it is free, `canLead` and Redis may be relayed to. Rejects with `unavailable` or `failed`. */
  ask(canLead: boolean): Promise<boolean>
  /** From now on others answer for what is in Redis, and what they know of each other is not known here. */
  follow(): void
  giveUp(): Promise<void>
  /** Rejects as a round does. */
  lead(states: readonly PartitionState[], reading: JournalReading): Promise<void>
  /** Without Postgres. Does nothing where this instance does not lead. Rejects with the driver's error. */
  keep(states: readonly PartitionState[]): Promise<void>
}

export function leadership(deps: LeadershipDeps): Leadership {
  const { own, lock, watermarks, mayRelay } = deps
  /** The instances that answer for what is in Redis; `null` when this one is not the leader. */
  let answerable: readonly string[] | null = null

  return {
    get isLeading() {
      return answerable !== null
    },

    ask: async (canLead) => {
      if (canLead && mayRelay()) return await lock.hold()
      await giveUp()
      return false
    },

    follow,
    giveUp,

    lead: async (states, { clock, listed }) => {
      const present = listed.filter(({ isPresent }) => isPresent).map(({ id }) => id)
      // An instance that is gone by now may have acknowledged what only this round brings in.
      answerable = [...new Set([...(answerable ?? []), ...present])]
      const mayVouch = !deps.otherDeployment.isSeen()
      try {
        await lock.during(async () => {
          await relayRound(deps, { states, clock, mayVouch })
        })
      } catch (error) {
        // Postgres answers, and the journal cannot be read: somebody has locked its table, say.
        if (error instanceof AuthError) await keep(await watermarks.read())
        throw error
      }
      answerable = present
      await deps.sweep.step({ nowMs: clock.nowMs, relayedUpTo: Math.floor(clock.settledUpTo) })
    },

    keep,
  }

  async function keep(states: readonly PartitionState[]): Promise<void> {
    if (answerable && mayRelay() && !deps.otherDeployment.isSeen()) await keepLease(deps, states, answerable)
  }

  function follow(): void {
    if (answerable !== null) {
      own.forget()
      deps.sweep.forget()
    }
    answerable = null
  }

  async function giveUp(): Promise<void> {
    const wasLeading = answerable !== null
    follow()
    if (wasLeading) await lock.release()
  }
}
