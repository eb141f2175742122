// The UserAdmin port: each change, with the sessions it ends and its log entry, is one transaction.
import type { Denial, EndReason, LogEntry, UserAdmin } from '../auth/ports.ts'
import { despiteEntry, entryValues, WRITE_ENTRY, type LogEntriesDeps } from './log-entries.ts'
import { endSessions, type DenialRow } from './postgres-sessions.ts'
import { usernameKey } from './postgres-users.ts'
import type { Statement } from './postgres.ts'

const ADD: Statement = {
  name: 'users.add',
  text: `INSERT INTO users (id, username, username_key, password_hash, role) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (username_key) DO NOTHING RETURNING id`,
}

const LIST: Statement = {
  name: 'users.list',
  text: `SELECT id, username, role, is_active AS "isActive", created_at AS "createdAt", last_login_at AS "lastLoginAt"
         FROM users ORDER BY username_key`,
}

const SET_ACTIVE: Statement = {
  name: 'users.setActive',
  text: 'UPDATE users SET is_active = $2, updated_at = now() WHERE username_key = $1 RETURNING id',
}

const SET_PASSWORD: Statement = {
  name: 'users.setPassword',
  text: 'UPDATE users SET password_hash = $2, updated_at = now() WHERE username_key = $1 RETURNING id',
}

const END_ALL: Statement = {
  name: 'sessions.endAll',
  text: endSessions(`user_id = $3 AND expires_at > now() - $2::float8 * interval '1 second'`, ''),
}

/** One statement that touches one user, with its parameters and the entry that tells of it. */
interface Change {
  statement: Statement
  values: unknown[]
  entry: LogEntry
}

export interface PostgresUserAdminDeps {
  /** Where the transactions run, and who hears of an entry that could not be written. */
  entries: LogEntriesDeps
  leewaySeconds: number
}

export function postgresUserAdmin({ entries, leewaySeconds }: PostgresUserAdminDeps): UserAdmin {
  const { postgres } = entries
  return {
    add: async ({ id, username, passwordHash, role }, entry) => {
      const values = [id, username, usernameKey(username), passwordHash, role]
      return (await change({ statement: ADD, values, entry })) !== null
    },

    list: async () => await postgres.query(LIST),

    disable: async (username, entry) =>
      await change({ statement: SET_ACTIVE, values: [usernameKey(username), false], entry }, 'user_disabled'),

    enable: async (username, entry) =>
      (await change({ statement: SET_ACTIVE, values: [usernameKey(username), true], entry })) !== null,

    setPassword: async ({ username, passwordHash }, entry) =>
      await change(
        { statement: SET_PASSWORD, values: [usernameKey(username), passwordHash], entry },
        'password_changed',
      ),
  }

  /** `null` when the statement touched nobody, else the denials of the sessions that `endReason` ended. */
  async function change(
    { statement, values, entry }: Change,
    endReason?: EndReason,
  ): Promise<Denial[] | null> {
    return await despiteEntry(
      entries,
      entry,
      async (isLogged) =>
        await postgres.transaction(async (query) => {
          const [user] = await query<{ id: string }>(statement, values)
          if (!user) return null
          if (isLogged) await query(WRITE_ENTRY, [...entryValues(entry), user.id])
          // A statement of its own, after the user's row is locked: it sees the sessions of logins that came first.
          return endReason ? await query<DenialRow>(END_ALL, [endReason, leewaySeconds, user.id]) : []
        }),
    )
  }
}
