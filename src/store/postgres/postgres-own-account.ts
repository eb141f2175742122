// The OwnAccount port: what users do to their own accounts, as long as these are still as they were read.
import { MAX } from 'uuid'
import type { OwnAccount } from '../../auth/ports/accounts.ts'
import type { EventRecord } from '../../auth/ports/log.ts'
import type { Statement } from './postgres.ts'
import { changeUser, type UserChangeDeps } from './user-change.ts'

const AS_READ = 'id = $1 AND is_active AND password_hash = $2'

const CHANGE_PASSWORD: Statement = {
  name: 'ownAccount.changePassword',
  text: `UPDATE users SET password_hash = $3, updated_at = now() WHERE ${AS_READ} RETURNING id`,
}

// Only locks: the sessions, which point at the user, are ended and deleted first.
const FIND_AS_READ: Statement = {
  name: 'ownAccount.findAsRead',
  text: `SELECT id FROM users WHERE ${AS_READ} FOR UPDATE`,
}

const DELETE_SESSIONS: Statement = {
  name: 'ownAccount.deleteSessions',
  text: 'DELETE FROM user_sessions WHERE user_id = $1',
}

const DELETE_USER: Statement = {
  name: 'ownAccount.deleteUser',
  text: 'DELETE FROM users WHERE id = $1',
}

// By id: UUIDv7 is in the order of time, and unlike a time it has no ties.
const EVENTS: Statement = {
  name: 'ownAccount.events',
  text: `SELECT id, event_type AS type, session_id AS "sessionId", ip_address AS "ipAddress",
                user_agent AS "userAgent", message, created_at AS "createdAt"
         FROM logs WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
}

export function postgresOwnAccount(deps: UserChangeDeps): OwnAccount {
  return {
    changePassword: async ({ account, passwordHash, keepSessionId }, entry) =>
      await changeUser(
        deps,
        {
          statement: CHANGE_PASSWORD,
          values: [account.id, account.passwordHash, passwordHash],
          ending: { reason: 'password_changed', keepSessionId },
        },
        entry,
      ),

    remove: async (account, entry) =>
      await changeUser(
        deps,
        {
          statement: FIND_AS_READ,
          values: [account.id, account.passwordHash],
          ending: { reason: 'user_deleted' },
          lastly: [DELETE_SESSIONS, DELETE_USER],
        },
        entry,
      ),

    events: async ({ userId, before, limit }) =>
      await deps.postgres.query<EventRecord>(EVENTS, [userId, before ?? MAX, limit]),
  }
}
