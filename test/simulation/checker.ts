// The rules of docs/promise.md, held against each answer as it comes.
import { denialKey } from '../../src/contract/denylist-keys.ts'
import type { SimulatedInstance } from './simulated-instance.ts'
import type { World } from './world.ts'

export interface SimulatedViolation {
  rule: 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'never' | 'repaired' | 'alive'
  atMs: number
  sentence: string
}

/** One login, as its clients and the checker know it. */
export interface SimulatedSession {
  sid: string
  userId: string
  deployment: string
  rotates: boolean
  /** The refresh token that its client would use next, and those that it has used up. */
  refreshToken: string
  usedUp: string[]
  accessTokens: string[]
  expiresAtMs: number
  /** When each instance, or an operator, had acknowledged its end. */
  ends: { at: string; ackedAtMs: number }[]
  /** Since when somebody may have ended it, acknowledged or not. */
  mayBeOverSinceMs: number | null
  /** No witness is left of its end: faults have taken all of them at once. */
  isForgotten: boolean
  /** Redis alone is left: its end holds, and nobody journals it again. docs/promise.md says so. */
  isLeftToRedis: boolean
  /** Postgres has lost its end, or something of it; others than those that hold it may take it for a while. */
  lostTailAtMs: number | null
  successors: Map<string, string>
  /** How many of its rotations are under way. */
  rotating: number
}

export interface Attempt {
  session: SimulatedSession
  /** The instance or peer. */
  at: string
  what: string
  startedAtMs: number
  outcome: 'accepted' | 'denied' | 'unknown'
  isPeer: boolean
}

export interface Checker {
  readonly violations: readonly SimulatedViolation[]
  readonly counts: CheckerCounts
  violate: (rule: SimulatedViolation['rule'], sentence: string) => void
  attempted: (attempt: Attempt) => void
  repaired: (repair: { from: string; to: string; denials: number }) => void
  /** The journal lacked a denial that an instance had. */
  lacked: (id: string) => void
  /** Something that a witness held may be gone now. */
  noteLoss: () => void
  /** Redis has been emptied, at the end: what was left to it is forgotten. */
  noteRedisEmptied: () => void
  /** For a while, not everything is promised; see `Excuse`. */
  excuse: (excuse: Excuse) => void
  /** The row of a session, or that of its end, was lost by Postgres. */
  isHealed: boolean
  mayRepair: boolean
  mayMend: boolean
}

export interface CheckerCounts {
  attempts: number
  accepted: number
  denied: number
  unknown: number
  acknowledged: number
  forgotten: number
  repaired: number
  /** Denials that an instance had, and its journal had not. */
  lacked: number
}

/** Something that the promise stands on was taken away: keys were evicted, a clock was set. */
export interface Excuse {
  fromMs: number
  untilMs: number
}

/** Beyond the lease: what a round of the relay and the network may add. */
const MARGIN_MS = 1000

export function checker(world: World): Checker {
  const violations: SimulatedViolation[] = []
  const excuses: Excuse[] = []
  const counts: CheckerCounts = {
    attempts: 0,
    accepted: 0,
    denied: 0,
    unknown: 0,
    acknowledged: 0,
    forgotten: 0,
    repaired: 0,
    lacked: 0,
  }

  const self: Checker = {
    violations,
    counts,
    isHealed: false,
    mayRepair: false,
    // Two that are told apart by nothing hear what the other announces, and journal it.
    mayMend: world.settings.second === 'copy',
    violate,
    attempted: (attempt) => {
      counts.attempts += 1
      counts[attempt.outcome] += 1
      if (attempt.outcome === 'accepted') checkAccepted(attempt)
      if (attempt.outcome === 'denied') checkDenied(attempt)
    },
    repaired: ({ from, to, denials }) => {
      counts.repaired += denials
      // Of the journal, the rows that it lacked count: how long one lasts, clocks that differ may disagree about.
      if (from !== 'memory' && !self.mayRepair)
        violate('repaired', `${denials} denials were repaired from ${from} to ${to}`)
    },
    lacked: (id) => {
      counts.lacked += 1
      if (!self.mayRepair && !self.mayMend) violate('repaired', `the journal lacked ${id.slice(-8)}`)
    },
    noteLoss: () => {
      for (const session of world.sessions) {
        if (session.ends.length === 0 || session.isForgotten) continue
        const { deployment } = session
        const own = world.deployments.find(({ name }) => name === deployment)
        if (!own) continue
        const row = own.postgres.rows.revocations.get(session.sid)
        if (row) continue
        session.lostTailAtMs ??= world.time.nowMs
        const isInRedis = world.isInRedis(session.sid)
        const isRemembered = own.instances.some(
          (instance: SimulatedInstance) => instance.host.isAlive && instance.holds(session.sid),
        )
        if (isRemembered) continue
        if (isInRedis) session.isLeftToRedis = true
        else forget(session)
      }
    },
    noteRedisEmptied: () => {
      for (const session of world.sessions) if (session.isLeftToRedis && !session.isForgotten) forget(session)
    },
    excuse: (excuse) => void excuses.push(excuse),
  }
  return self

  function forget(session: SimulatedSession): void {
    session.isForgotten = true
    counts.forgotten += 1
    world.trace.note('checker', `no witness is left of the end of ${session.sid.slice(-8)}`)
  }

  function violate(rule: SimulatedViolation['rule'], sentence: string): void {
    violations.push({ rule, atMs: world.time.nowMs, sentence })
    world.trace.note('checker', `VIOLATION of ${rule}: ${sentence}`)
  }

  function checkAccepted({ session, at, what, startedAtMs, isPeer }: Attempt): void {
    if (session.isForgotten) return
    const { second } = world.settings
    // It may go by the watermark of the other one until the two have noticed each other; docs/promise.md says so.
    if (second !== 'none' && at.endsWith('mget')) return
    for (const end of session.ends) {
      const isOwn = end.at === at && hasRunSince(session.deployment, end)
      const since = startedAtMs - end.ackedAtMs
      if (since <= (isOwn ? 0 : boundMs(session))) continue
      if (!self.isHealed && isExcused(session, { startedAtMs, isOwn })) continue
      const rule = self.isHealed ? 'never' : isPeer ? 'b' : 'a'
      violate(
        rule,
        `${what} of ${session.sid.slice(-8)} was accepted at ${at}, ${(since / 1000).toFixed(3)} s after ${end.at} had acknowledged its end`,
      )
      return
    }
  }

  /** A watermark outlives its lease by as much as the clock of the replica that takes over is behind: docs/promise.md. */
  function boundMs({ sid }: SimulatedSession): number {
    const { clockSetBackMs } = world.redis.shardOf(denialKey(sid))
    return world.settings.leaseSeconds * 1000 + MARGIN_MS + clockSetBackMs
  }

  /** Whether it is the very process that has acknowledged it, with its memory. */
  function hasRunSince(deployment: string, { at, ackedAtMs }: SimulatedSession['ends'][number]): boolean {
    const own = world.deployments.find(({ name }) => name === deployment)
    const instance = own?.instances.find(({ name }) => name === at)
    return instance !== undefined && instance.startedAtMs <= ackedAtMs
  }

  function isExcused(
    session: SimulatedSession,
    { startedAtMs, isOwn }: { startedAtMs: number; isOwn: boolean },
  ): boolean {
    // The instance that answered has it in its own memory, whatever Postgres has lost.
    if (session.lostTailAtMs !== null && !isOwn) return true
    return excuses.some(({ fromMs, untilMs }) => world.time.nowMs >= fromMs && startedAtMs <= untilMs)
  }

  function checkDenied({ session, at, what }: Attempt): void {
    const { mayBeOverSinceMs } = session
    if (mayBeOverSinceMs !== null && mayBeOverSinceMs <= world.time.nowMs) return
    violate('d', `${what} of ${session.sid.slice(-8)} was refused at ${at} though nobody had asked to end it`)
  }
}
