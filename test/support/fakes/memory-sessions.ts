// The Sessions port in memory.
import type { Denial } from '../../../src/auth/ports/denials.ts'
import type { LiveSession, Rotation, Sessions } from '../../../src/auth/ports/sessions.ts'
import {
  denyInMemory,
  endBatchInMemory,
  endInMemory,
  openSessions,
  statement,
  storeEntry,
  type MemoryDatabase,
  type MemorySession,
} from './memory-database.ts'

export function memorySessions(database: MemoryDatabase): Sessions {
  return {
    begin: async ({ id, account, rehashed, refreshJti, expiresAt, maxSessions }, entry) =>
      await statement(database, () => {
        const user = database.users.find((candidate) => candidate.id === account.id)
        const isAsRead = user?.passwordHash === account.passwordHash && user.role === account.role
        if (!user?.isActive || !isAsRead) return null
        const nowMs = database.clock.nowMs()
        user.passwordHash = rehashed ?? user.passwordHash
        user.lastLoginAt = new Date(nowMs)
        const surplus = openSessions(database, user.id)
          .sort((a, b) => (a.id < b.id ? 1 : -1))
          .slice(maxSessions - 1)
        const denials = endInMemory(database, surplus, 'too_many_sessions')
        database.sessions.push({
          id,
          userId: user.id,
          refreshJti,
          generation: 0,
          rotatedAtMs: null,
          presentedGeneration: 0,
          lateReplayAtMs: null,
          createdAtMs: nowMs,
          lastSeenAtMs: nowMs,
          expiresAtMs: expiresAt * 1000,
          ipAddress: entry.caller.ipAddress,
          userAgent: entry.caller.userAgent,
          endReason: null,
        })
        storeEntry(database, { ...entry, userId: user.id, sessionId: id })
        return denials
      }),

    end: async ({ id, userId, reason, expiresAt }, entry) =>
      await statement(database, () => {
        const session = database.sessions.find((candidate) => candidate.id === id)
        const isOn = session?.endReason === null
        if (isOn) session.expiresAtMs = Math.max(session.expiresAtMs, expiresAt * 1000)
        const lostUntilMs = (expiresAt + database.leewaySeconds) * 1000
        const denial = isOn
          ? endOne(session, reason)
          : denyInMemory(database, { deniedId: id, reason, expiresAtMs: lostUntilMs })
        if (denial) storeEntry(database, { ...entry, userId, sessionId: id })
        return denial
      }),

    revoke: async ({ id, userId }, entry) =>
      await statement(database, () => {
        const session = live(id)
        const denial = session?.userId === userId ? endOne(session, 'revoked') : null
        if (denial) storeEntry(database, { ...entry, userId, sessionId: id })
        return denial
      }),

    endAll: async ({ id: sessionId, expiresAt }, entry) =>
      await statement(database, () => {
        const caller = database.sessions.find(({ id, endReason }) => id === sessionId && endReason === null)
        if (caller) caller.expiresAtMs = Math.max(caller.expiresAtMs, expiresAt * 1000)
        if (!caller) return null
        const { userId } = caller
        const others = openSessions(database, userId).filter(({ id }) => id !== sessionId)
        const batch = endBatchInMemory(database, others, 'logout_all')
        if (!batch.isLast) return batch
        const isOpen = openSessions(database, userId).includes(caller)
        const last = isOpen ? endInMemory(database, [caller], 'logout_all') : []
        if (last.length > 0) storeEntry(database, { ...entry, userId, sessionId })
        const denials = [...batch.denials, ...last].sort((a, b) => (a.id < b.id ? -1 : 1))
        return denials.length > 0 ? { denials, isLast: true } : null
      }),

    endOthers: async (sessionId, entry) =>
      await statement(database, () => {
        const caller = live(sessionId)
        if (!caller) return null
        const { userId } = caller
        const others = openSessions(database, userId).filter(({ id }) => id !== sessionId)
        const batch = endBatchInMemory(database, others, 'logout_all')
        if (batch.denials.length > 0) storeEntry(database, { ...entry, userId, sessionId })
        return batch
      }),

    endOfUser: async ({ userId, reason, keepSessionId }) =>
      await statement(database, () => {
        const meant = openSessions(database, userId).filter(({ id }) => id !== keepSessionId)
        return endBatchInMemory(database, meant, reason)
      }),

    rotate: async (rotation) =>
      await statement(database, () => {
        const session = usable(rotation.sessionId)
        if (!session || session.generation > rotation.generation) return null
        step(session, rotation)
        return { session: found(session), denials: retire(rotation) }
      }),

    find: async (sessionId) =>
      await statement(database, () => {
        const session = usable(sessionId)
        return session ? found(session) : null
      }),

    present: async ({ sessionId, generation }) =>
      await statement(database, () => {
        const session = usable(sessionId)
        if (!session) return null
        const isCurrent = generation >= session.generation
        if (isCurrent) session.presentedGeneration = Math.max(session.presentedGeneration, generation)
        return found(session)
      }),

    replayLate: async ({ sessionId, generation, pauseSeconds }, entry) =>
      await statement(database, () => {
        const session = usable(sessionId)
        const nowMs = database.clock.nowMs()
        const isPrevious = session?.generation === generation + 1
        if (!isPrevious || session.presentedGeneration >= session.generation) return null
        if (session.lateReplayAtMs !== null && session.lateReplayAtMs > nowMs - pauseSeconds * 1000)
          return null
        session.lateReplayAtMs = nowMs
        storeEntry(database, { ...entry, userId: session.userId, sessionId })
        return found(session)
      }),

    list: async ({ userId, before, limit }) =>
      await statement(database, () =>
        database.sessions
          .filter((session) => session.userId === userId && live(session.id) === session)
          .filter(({ id }) => before === null || id < before)
          .sort((a, b) => (a.id < b.id ? 1 : -1))
          .slice(0, limit)
          .map(({ id, ipAddress, userAgent, createdAtMs, lastSeenAtMs, expiresAtMs }) => ({
            id,
            ipAddress,
            userAgent,
            createdAt: new Date(createdAtMs),
            lastSeenAt: new Date(lastSeenAtMs),
            expiresAt: new Date(expiresAtMs),
          })),
      ),
  }

  function live(sessionId: string): MemorySession | undefined {
    return openAfter(sessionId, database.clock.nowMs())
  }

  /** One whose last token may still be used by a clock that is behind. */
  function usable(sessionId: string): MemorySession | undefined {
    return openAfter(sessionId, database.clock.nowMs() - database.leewaySeconds * 1000)
  }

  function openAfter(sessionId: string, aliveAfterMs: number): MemorySession | undefined {
    return database.sessions.find(
      ({ id, userId, endReason, expiresAtMs }) =>
        id === sessionId && isActive(userId) && endReason === null && expiresAtMs > aliveAfterMs,
    )
  }

  function found(session: MemorySession): LiveSession {
    const { role = '', claims = {} } = database.users.find(({ id }) => id === session.userId) ?? {}
    return { ...liveSession(session, database.clock.nowMs()), role, claims }
  }

  function isActive(userId: string): boolean {
    return database.users.find(({ id }) => id === userId)?.isActive === true
  }

  function endOne(session: MemorySession, reason: Parameters<typeof endInMemory>[2]): Denial | null {
    if (session.endReason !== null) return null
    const [denial] = endInMemory(database, [session], reason)
    return denial ?? null
  }

  function step(session: MemorySession, rotation: Rotation): void {
    const oldest = Math.floor(session.createdAtMs / 1000) + rotation.maxAgeSeconds
    session.generation = rotation.generation + 1
    session.rotatedAtMs = rotation.rotatedAtMs
    session.refreshJti = rotation.refreshJti
    session.lastSeenAtMs = database.clock.nowMs()
    session.expiresAtMs = Math.max(session.expiresAtMs, Math.min(rotation.expiresAt, oldest) * 1000)
  }

  function retire({ sessionId, retired }: Rotation): Denial[] {
    if (!retired) return []
    const denial = denyInMemory(database, {
      deniedId: `${sessionId}:${retired.jti}`,
      reason: 'rotated',
      expiresAtMs: (retired.expiresAt + database.leewaySeconds) * 1000,
    })
    return denial ? [denial] : []
  }
}

function liveSession(session: MemorySession, nowMs: number): Omit<LiveSession, 'role' | 'claims'> {
  const { generation, rotatedAtMs, lateReplayAtMs, createdAtMs, lastSeenAtMs, expiresAtMs } = session
  return {
    generation,
    rotatedAtMs,
    sinceRotationMs: rotatedAtMs === null ? null : nowMs - lastSeenAtMs,
    isPresented: session.presentedGeneration >= generation,
    sinceLateReplayMs: lateReplayAtMs === null ? null : nowMs - lateReplayAtMs,
    createdAt: createdAtMs / 1000,
    expiresAt: expiresAtMs / 1000,
  }
}
