// The ports of the service over a simulated Postgres, statement by statement as the real ones are.
import type { Denial, Journal } from '../../../src/auth/ports/denials.ts'
import type { EndReason } from '../../../src/auth/ports/session-ends.ts'
import type { LiveSession, Sessions } from '../../../src/auth/ports/sessions.ts'
import { tokenId } from '../../../src/contract/denylist-keys.ts'
import type { Instances } from '../../../src/store/postgres/instances.ts'
import type { JournalMender } from '../../../src/store/postgres/journal-mender.ts'
import type { Locks } from '../../../src/store/postgres/locks.ts'
import type { PostgresRows, SessionRow } from './postgres-rows.ts'
import type { PostgresClient, SimulatedPostgres, Statement } from './simulated-postgres.ts'

export interface SimulatedPortsDeps {
  postgres: SimulatedPostgres
  client: PostgresClient
  instanceId: string
  leewaySeconds: number
  isCommand?: boolean
  /** Hears of each denial that the journal lacked. */
  onLacking?: (id: string) => void
}

type Execute = <T>(statement: Statement<T>) => Promise<T>

export interface SimulatedPorts {
  sessions: Sessions
  journal: Journal
  mender: JournalMender
  locks: Locks
  instances: Instances
}

export function simulatedPorts(deps: SimulatedPortsDeps): SimulatedPorts {
  const { postgres, client, instanceId, isCommand = false } = deps
  const execute: Execute = async (statement) => await postgres.execute(client, statement)
  return {
    sessions: simulatedSessions(execute, deps),
    journal: simulatedJournal(execute, deps),
    mender: {
      mend: async (denials) =>
        await execute({
          ...WRITES_JOURNAL,
          name: 'mend',
          work: (rows, nowMs) =>
            denials.flatMap(({ id, ttlMs }) => {
              const session = rows.sessions.get(id)
              if (session?.endReason === null) rows.sessions.put(id, { ...session, endReason: 'logout' })
              const known = rows.revocations.get(id)
              const expiresAtMs = nowMs + ttlMs
              if (known && known.expiresAtMs > nowMs && known.expiresAtMs >= expiresAtMs - HEARSAY_MS)
                return []
              if (!known) deps.onLacking?.(id)
              journal(rows, { id, expiresAtMs, nowMs })
              return [id]
            }),
        }),
    },
    locks: {
      hold: async (name, seconds) =>
        await execute({
          ...WRITES,
          name: 'hold',
          work: (rows, nowMs) => {
            const lock = rows.locks.get(name)
            const isFree =
              !lock || lock.holder === null || lock.holder === instanceId || lock.expiresAtMs <= nowMs
            if (isFree) rows.locks.put(name, { holder: instanceId, expiresAtMs: nowMs + seconds * 1000 })
            return isFree
          },
        }),
      release: async (name) => {
        await execute({
          ...WRITES,
          name: 'release',
          work: (rows, nowMs) => {
            if (rows.locks.get(name)?.holder === instanceId)
              rows.locks.put(name, { holder: null, expiresAtMs: nowMs })
          },
        })
      },
    },
    instances: {
      present: async () =>
        await execute({
          ...WRITES,
          name: 'present',
          work: (rows, nowMs) => {
            rows.instances.put(instanceId, { id: instanceId, seenAtMs: nowMs, leftAtMs: null, isCommand })
            return [...rows.instances.values()].map(({ id, seenAtMs, leftAtMs, isCommand: isOfCommand }) => ({
              id,
              name: id,
              seenAtMs,
              isCommand: isOfCommand,
              settings: null,
              isPresent: leftAtMs === null && seenAtMs > nowMs - PRESENT_MS,
            }))
          },
        }),
      leave: async () => {
        await execute({
          ...WRITES,
          name: 'leave',
          work: (rows, nowMs) => {
            const row = rows.instances.get(instanceId)
            if (row) rows.instances.put(instanceId, { ...row, leftAtMs: nowMs })
          },
        })
      },
    },
  }
}

const HEARSAY_MS = 1000
const PRESENT_MS = 10_000

export const READS = { isWrite: false, needsJournal: false }
export const READS_JOURNAL = { isWrite: false, needsJournal: true }
const WRITES = { isWrite: true, needsJournal: false }
export const WRITES_JOURNAL = { isWrite: true, needsJournal: true }

/** Writes the row, or moves it to the journal's end. */
function journal(
  rows: PostgresRows,
  { id, expiresAtMs, nowMs }: { id: string; expiresAtMs: number; nowMs: number },
): Denial {
  rows.revocations.put(id, { seq: rows.nextSeq(), deniedId: id, createdAtMs: nowMs, expiresAtMs })
  return { id, ttlMs: expiresAtMs - nowMs }
}

/** Ends a session that is on, with its journal row; `null` where it was over. */
export function endRow(
  rows: PostgresRows,
  session: SessionRow,
  { reason, nowMs, leewaySeconds }: { reason: EndReason; nowMs: number; leewaySeconds: number },
): Denial | null {
  if (session.endReason !== null) return null
  rows.sessions.put(session.id, { ...session, endReason: reason })
  return denyUnlessDenied(rows, {
    id: session.id,
    expiresAtMs: session.expiresAtMs + leewaySeconds * 1000,
    nowMs,
  })
}

function denyUnlessDenied(
  rows: PostgresRows,
  denial: { id: string; expiresAtMs: number; nowMs: number },
): Denial | null {
  const known = rows.revocations.get(denial.id)
  if (known && known.expiresAtMs > denial.nowMs) return null
  return journal(rows, denial)
}

function simulatedSessions(execute: Execute, { leewaySeconds }: SimulatedPortsDeps): Sessions {
  const leewayMs = leewaySeconds * 1000
  const isOn = (session: SessionRow | undefined, aliveAfterMs: number): session is SessionRow =>
    session?.endReason === null && session.expiresAtMs > aliveAfterMs

  return {
    begin: async ({ id, account, refreshJti, expiresAt }) =>
      await execute({
        ...WRITES,
        name: 'begin',
        work: (rows, nowMs) => {
          if (!rows.users.get(account.id)?.isActive) return null
          rows.sessions.put(id, {
            id,
            userId: account.id,
            refreshJti,
            generation: 0,
            rotatedAtMs: null,
            presentedGeneration: 0,
            lateReplayAtMs: null,
            createdAtMs: nowMs,
            lastSeenAtMs: nowMs,
            expiresAtMs: expiresAt * 1000,
            endReason: null,
          })
          // Nobody here has more sessions than the service allows.
          return []
        },
      }),

    end: async ({ id, expiresAt, reason }) =>
      await execute({
        ...WRITES_JOURNAL,
        name: 'end',
        work: (rows, nowMs) => {
          const session = rows.sessions.get(id)
          // One that is over without a denial is denied all the same.
          if (session?.endReason !== null)
            return denyUnlessDenied(rows, { id, expiresAtMs: expiresAt * 1000 + leewayMs, nowMs })
          const longer = { ...session, expiresAtMs: Math.max(session.expiresAtMs, expiresAt * 1000) }
          return endRow(rows, longer, { reason, nowMs, leewaySeconds })
        },
      }),

    revoke: async ({ id, userId }) =>
      await execute({
        ...WRITES_JOURNAL,
        name: 'revoke',
        work: (rows, nowMs) => {
          const session = rows.sessions.get(id)
          if (!isOn(session, nowMs) || session.userId !== userId) return null
          return endRow(rows, session, { reason: 'revoked', nowMs, leewaySeconds })
        },
      }),

    endAll: async ({ id: sessionId, expiresAt }) =>
      await execute({
        ...WRITES_JOURNAL,
        name: 'end all',
        work: (rows, nowMs) => {
          const caller = rows.sessions.get(sessionId)
          if (caller?.endReason !== null) return null
          const known = Math.max(caller.expiresAtMs, expiresAt * 1000)
          rows.sessions.put(sessionId, { ...caller, expiresAtMs: known })
          const denials = [...rows.sessions.values()]
            .filter((session) => session.userId === caller.userId && isOn(session, nowMs - leewayMs))
            .flatMap((session) => endRow(rows, session, { reason: 'logout_all', nowMs, leewaySeconds }) ?? [])
          return denials.length > 0 ? { denials, isLast: true } : null
        },
      }),

    endOthers: async () => await Promise.reject(new Error('nobody asks for this here')),
    endOfUser: async () => await Promise.reject(new Error('nobody asks for this here')),

    rotate: async ({ sessionId, generation, refreshJti, rotatedAtMs, expiresAt, maxAgeSeconds, retired }) =>
      await execute({
        ...WRITES_JOURNAL,
        name: 'rotate',
        needsJournal: retired !== undefined,
        work: (rows, nowMs) => {
          const session = rows.sessions.get(sessionId)
          if (!isOn(session, nowMs - leewayMs) || session.generation > generation) return null
          const greatestMs = Math.floor(session.createdAtMs / 1000) * 1000 + maxAgeSeconds * 1000
          const rotated: SessionRow = {
            ...session,
            generation: generation + 1,
            rotatedAtMs,
            refreshJti,
            lastSeenAtMs: nowMs,
            expiresAtMs: Math.max(session.expiresAtMs, Math.min(expiresAt * 1000, greatestMs)),
          }
          rows.sessions.put(sessionId, rotated)
          const id = retired && tokenId(sessionId, retired.jti)
          const isNew = id !== undefined && rows.revocations.get(id) === undefined
          const denials =
            isNew && retired
              ? [journal(rows, { id, expiresAtMs: retired.expiresAt * 1000 + leewayMs, nowMs })]
              : []
          return { session: liveSession(rotated, nowMs), denials }
        },
      }),

    find: async (sessionId) =>
      await execute({
        ...READS,
        name: 'find',
        work: (rows, nowMs) => {
          const session = rows.sessions.get(sessionId)
          return isOn(session, nowMs - leewayMs) ? liveSession(session, nowMs) : null
        },
      }),

    present: async ({ sessionId, generation }) =>
      await execute({
        ...WRITES,
        name: 'present',
        work: (rows, nowMs) => {
          const session = rows.sessions.get(sessionId)
          if (!isOn(session, nowMs - leewayMs)) return null
          if (generation >= session.generation && generation > session.presentedGeneration)
            rows.sessions.put(sessionId, { ...session, presentedGeneration: generation })
          return liveSession(session, nowMs)
        },
      }),

    replayLate: async ({ sessionId, generation, pauseSeconds }) =>
      await execute({
        ...WRITES,
        name: 'replay late',
        work: (rows, nowMs) => {
          const session = rows.sessions.get(sessionId)
          if (!isOn(session, nowMs - leewayMs) || session.generation !== generation + 1) return null
          const { lateReplayAtMs } = session
          const isTooSoon = lateReplayAtMs !== null && lateReplayAtMs > nowMs - pauseSeconds * 1000
          if (session.presentedGeneration >= session.generation || isTooSoon) return null
          const replayed: SessionRow = { ...session, lateReplayAtMs: nowMs }
          rows.sessions.put(sessionId, replayed)
          return liveSession(replayed, nowMs)
        },
      }),

    list: async ({ userId }) =>
      await execute({
        ...READS,
        name: 'list',
        work: (rows, nowMs) =>
          [...rows.sessions.values()]
            .filter((session) => session.userId === userId && isOn(session, nowMs))
            .map(({ id, createdAtMs, lastSeenAtMs, expiresAtMs }) => ({
              id,
              ipAddress: '::1',
              userAgent: null,
              createdAt: new Date(createdAtMs),
              lastSeenAt: new Date(lastSeenAtMs),
              expiresAt: new Date(expiresAtMs),
            })),
      }),
  }
}

function simulatedJournal(execute: Execute, { leewaySeconds }: SimulatedPortsDeps): Journal {
  return {
    isDenied: async ({ sid, jti }) =>
      await execute({
        ...READS_JOURNAL,
        name: 'is denied',
        work: (rows, nowMs) =>
          [sid, tokenId(sid, jti)].some((id) => (rows.revocations.get(id)?.expiresAtMs ?? 0) > nowMs),
      }),

    denialOf: async (id) =>
      await execute({
        ...READS_JOURNAL,
        name: 'denial of',
        work: (rows, nowMs) => denialOf(rows, id, nowMs),
      }),

    denialsOfUser: async ({ userId, after, limit }) =>
      await execute({
        ...READS_JOURNAL,
        name: 'denials of user',
        work: (rows, nowMs) =>
          [...rows.sessions.values()]
            .filter((session) => session.userId === userId && session.endReason !== null)
            .map(({ id }) => id)
            .filter((id) => after === null || id > after)
            .sort()
            .flatMap((id) => denialOf(rows, id, nowMs) ?? [])
            .slice(0, limit),
      }),

    deny: async ({ id, expiresAt }) =>
      await execute({
        ...WRITES_JOURNAL,
        name: 'deny',
        work: (rows, nowMs) => {
          const expiresAtMs = (expiresAt + leewaySeconds) * 1000
          const known = rows.revocations.get(id)
          return known && known.expiresAtMs >= expiresAtMs ? null : journal(rows, { id, expiresAtMs, nowMs })
        },
      }),
  }
}

function denialOf(rows: PostgresRows, id: string, nowMs: number): Denial | null {
  const row = rows.revocations.get(id)
  return row && row.expiresAtMs > nowMs ? { id, ttlMs: row.expiresAtMs - nowMs } : null
}

function liveSession(session: SessionRow, nowMs: number): LiveSession {
  const { generation, rotatedAtMs, lateReplayAtMs, lastSeenAtMs, createdAtMs, expiresAtMs } = session
  return {
    generation,
    rotatedAtMs,
    sinceRotationMs: rotatedAtMs === null ? null : nowMs - lastSeenAtMs,
    isPresented: session.presentedGeneration >= generation,
    sinceLateReplayMs: lateReplayAtMs === null ? null : nowMs - lateReplayAtMs,
    createdAt: createdAtMs / 1000,
    expiresAt: expiresAtMs / 1000,
    role: 'user',
    claims: {},
  }
}
