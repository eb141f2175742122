// One change to one user, with its log entry, as one transaction.
import type { ChangedUser } from '../../auth/ports/accounts.ts'
import type { LogEntry } from '../../auth/ports/log.ts'
import { entryValues, WRITE_ENTRY, type LogEntries } from './log-entries.ts'
import type { Postgres, Statement } from './postgres.ts'

export interface UserChange {
  /** Locks the user's row, and yields its `id`; nothing where there is nobody to change. */
  statement: Statement
  values: unknown[]
}

export interface UserChangeDeps {
  postgres: Postgres
  logEntries: LogEntries
  leewaySeconds: number
}

/**
 * Resolves to the user; to `null`, and nothing is written, where the statement touched nobody. It ends no sessions: it
 * would have to end all of them at once, and could be kept from it by one. The statement that ends them afterwards sees those of all
 * logins that came before it. Rejects with `unavailable` or `failed`.
 */
export async function changeUser(
  { postgres, logEntries }: UserChangeDeps,
  { statement, values }: UserChange,
  entry: LogEntry,
): Promise<ChangedUser | null> {
  return await logEntries.despite({
    work: async (isLogged) =>
      await postgres.transaction(async (query) => {
        const [user] = await query<ChangedUser>(statement, values)
        if (!user) return null
        if (isLogged) await query(WRITE_ENTRY, [...entryValues(entry), user.id, entry.sessionId ?? null])
        return { id: user.id }
      }),
    tell: (user) => user && { ...entry, userId: user.id },
  })
}
