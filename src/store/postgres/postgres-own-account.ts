// The OwnAccount port: what users do to their own accounts, as long as these are still as they were read.
import { MAX } from 'uuid'
import { AuthError } from '../../auth/errors.ts'
import type { Account, OwnAccount, UnfinishedChange } from '../../auth/ports/accounts.ts'
import type { EventRecord } from '../../auth/ports/log.ts'
import type { EndedBatch, EndReason } from '../../auth/ports/session-ends.ts'
import { BATCH_SESSIONS, END_OF_USER, endedBatch, type BatchRow } from './end-many.ts'
import type { Postgres, Statement } from './postgres.ts'
import { changeUser, type UserChangeDeps } from './user-change.ts'

const CHANGE_PASSWORD: Statement = {
  name: 'ownAccount.changePassword',
  text: `UPDATE users SET password_hash = $4, unfinished_change = $3, updated_at = now()
         WHERE id = $1 AND is_active AND password_hash = $2 RETURNING id`,
}

const FINISH: Statement = {
  name: 'ownAccount.finish',
  text: 'UPDATE users SET unfinished_change = NULL WHERE id = $1 AND unfinished_change = $2',
}

// Closed once more where its user asks again; but not where an operator has disabled or enabled it in the meantime.
const CLOSE: Statement = {
  name: 'ownAccount.close',
  text: `UPDATE users SET is_active = false, unfinished_change = $3, updated_at = now()
         WHERE id = $1 AND password_hash = $2 AND is_active = $4 AND (is_active OR unfinished_change = $3)
         RETURNING id`,
}

// Only locks: the sessions, which point at the user, are ended and deleted first.
const LOCK: Statement = {
  name: 'ownAccount.lock',
  text: 'SELECT unfinished_change AS "unfinishedChange" FROM users WHERE id = $1 FOR UPDATE',
}

const DELETE_OVER: Statement = {
  name: 'ownAccount.deleteOver',
  text: `WITH deleted AS (
           DELETE FROM user_sessions WHERE id = ANY (ARRAY(
             SELECT id FROM user_sessions
             WHERE user_id = $1
               AND (ended_at IS NOT NULL OR expires_at <= now() - $2::float8 * interval '1 second')
             ORDER BY id LIMIT ${BATCH_SESSIONS}
           ))
           RETURNING 1
         )
         SELECT count(*)::int AS rows FROM deleted`,
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

const CHANGING: UnfinishedChange = 'password_changed'
const DELETING: UnfinishedChange & EndReason = 'user_deleted'

export function postgresOwnAccount(deps: UserChangeDeps): OwnAccount {
  const { postgres, leewaySeconds } = deps
  return {
    changePassword: async ({ account, passwordHash }, entry) => {
      const values = [account.id, account.passwordHash, CHANGING, passwordHash]
      return await changeUser(deps, { statement: CHANGE_PASSWORD, values }, entry)
    },

    finishPasswordChange: async (userId) => {
      await postgres.query(FINISH, [userId, CHANGING])
    },

    close: async ({ id, passwordHash, isActive }, entry) => {
      const values = [id, passwordHash, DELETING, isActive]
      return await changeUser(deps, { statement: CLOSE, values }, entry)
    },

    remove: async (userId) => {
      const [deleted] = await postgres.query<{ rows: number }>(DELETE_OVER, [userId, leewaySeconds])
      if (deleted?.rows === BATCH_SESSIONS) return { denials: [], isLast: false }
      return await postgres.transaction(async (query) => await removeRest(query, { userId, leewaySeconds }))
    },

    events: async ({ userId, before, limit }) =>
      await postgres.query<EventRecord>(EVENTS, [userId, before ?? MAX, limit]),
  }
}

/** With more left than a batch, ends that batch and goes no further. */
async function removeRest(
  query: Postgres['query'],
  { userId, leewaySeconds }: { userId: string; leewaySeconds: number },
): Promise<EndedBatch> {
  const [user] = await query<Pick<Account, 'unfinishedChange'>>(LOCK, [userId])
  // Another caller has removed it.
  if (!user) return { denials: [], isLast: true }
  // An operator has enabled or disabled it meanwhile: whether it may be removed, is to be asked anew.
  if (user.unfinishedChange !== DELETING) throw new AuthError('unavailable')
  const batch = endedBatch(await query<BatchRow>(END_OF_USER, [DELETING, leewaySeconds, userId, null]))
  if (batch.isLast) for (const last of [DELETE_SESSIONS, DELETE_USER]) await query(last, [userId])
  return batch
}
