// One change to one user, with the sessions it ends and its log entry, as one transaction.
import type { Denial } from '../../auth/ports/denials.ts'
import type { LogEntry } from '../../auth/ports/log.ts'
import type { EndReason } from '../../auth/ports/sessions.ts'
import { entryValues, WRITE_ENTRY, type LogEntries } from './log-entries.ts'
import { endSessions, type DenialRow } from './end-sessions.ts'
import type { Postgres, Statement } from './postgres.ts'

const END_SESSIONS: Statement = {
  name: 'users.endSessions',
  text: endSessions(
    `user_id = $3 AND id IS DISTINCT FROM $4::uuid AND expires_at > now() - $2::float8 * interval '1 second'`,
    '',
  ),
}

export interface UserChange {
  /** Locks the user's row, and yields its `id`; nothing where there is nobody to change. */
  statement: Statement
  values: unknown[]
  /** Which sessions end with it: all but one, or all. */
  ending?: { reason: EndReason; keepSessionId?: string }
  /** What is done at the end, each with the user's id. */
  lastly?: Statement[]
}

export interface UserChangeDeps {
  postgres: Postgres
  logEntries: LogEntries
  leewaySeconds: number
}

/**
 * Resolves to the denials of the sessions that it ended; `null`, and nothing is written, where the
 * statement touched nobody. Rejects with `unavailable` or `failed`.
 */
export async function changeUser(
  { postgres, logEntries, leewaySeconds }: UserChangeDeps,
  { statement, values, ending, lastly = [] }: UserChange,
  entry: LogEntry,
): Promise<Denial[] | null> {
  const changed = await logEntries.despite({
    work: async (isLogged) =>
      await postgres.transaction(async (query) => {
        const [user] = await query<{ id: string }>(statement, values)
        if (!user) return null
        if (isLogged) await query(WRITE_ENTRY, [...entryValues(entry), user.id, entry.sessionId ?? null])
        // A statement of its own, after the user's row is locked: it sees the sessions of logins that came first.
        const denials = ending
          ? await query<DenialRow>(END_SESSIONS, [
              ending.reason,
              leewaySeconds,
              user.id,
              ending.keepSessionId ?? null,
            ])
          : []
        for (const last of lastly) await query(last, [user.id])
        return { userId: user.id, denials }
      }),
    tell: (result) => result && { ...entry, userId: result.userId },
  })
  return changed?.denials ?? null
}
