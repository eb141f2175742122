// The UserAdmin port: each change is one transaction, with its log entry.
import type { UserAdmin } from '../../auth/ports/accounts.ts'
import { usernameKeys } from '../../auth/accounts/username-key.ts'
import type { Statement } from './postgres.ts'
import { ROW_OF_USERNAME } from './username-row.ts'
import { changeUser, type UserChangeDeps } from './user-change.ts'

const ADD: Statement = {
  name: 'users.add',
  // Of new names, the key decides; a name that has its account under the key of before is taken, too.
  text: `INSERT INTO users (id, username, username_key, password_hash, role)
         SELECT $1::uuid, $2::text, $3::text, $4::text, $5::text
         WHERE NOT EXISTS (SELECT 1 FROM users WHERE username_key = $6::text)
         ON CONFLICT (username_key) DO NOTHING RETURNING id`,
}

const LIST: Statement = {
  name: 'users.list',
  text: `SELECT id, username, role, is_active AS "isActive", created_at AS "createdAt", last_login_at AS "lastLoginAt"
         FROM users ORDER BY username_key`,
}

const SET_ACTIVE: Statement = {
  name: 'users.setActive',
  text: `UPDATE users SET is_active = $2, unfinished_change = NULL, updated_at = now()
         WHERE ${ROW_OF_USERNAME} RETURNING id`,
}

const SET_PASSWORD: Statement = {
  name: 'users.setPassword',
  text: `UPDATE users SET password_hash = $2, updated_at = now() WHERE ${ROW_OF_USERNAME} RETURNING id`,
}

const SET_ROLE: Statement = {
  name: 'users.setRole',
  text: `UPDATE users SET role = $2, updated_at = now() WHERE ${ROW_OF_USERNAME} RETURNING id`,
}

const SET_CLAIMS: Statement = {
  name: 'users.setClaims',
  text: `UPDATE users SET claims = $2::jsonb, updated_at = now() WHERE ${ROW_OF_USERNAME} RETURNING id`,
}

export function postgresUserAdmin(deps: UserChangeDeps): UserAdmin {
  return {
    add: async ({ id, username, passwordHash, role }, entry) => {
      const [before, today] = usernameKeys(username)
      const values = [id, username, today, passwordHash, role, before]
      return (await changeUser(deps, { statement: ADD, values }, entry)) !== null
    },

    list: async () => await deps.postgres.query(LIST),

    disable: async (username, entry) => {
      const values = [usernameKeys(username), false]
      return await changeUser(deps, { statement: SET_ACTIVE, values }, entry)
    },

    enable: async (username, entry) => {
      const values = [usernameKeys(username), true]
      return (await changeUser(deps, { statement: SET_ACTIVE, values }, entry)) !== null
    },

    setPassword: async ({ username, passwordHash }, entry) => {
      const values = [usernameKeys(username), passwordHash]
      return await changeUser(deps, { statement: SET_PASSWORD, values }, entry)
    },

    setClaims: async ({ username, claims }, entry) => {
      const values = [usernameKeys(username), JSON.stringify(claims)]
      return await changeUser(deps, { statement: SET_CLAIMS, values }, entry)
    },

    setRole: async ({ username, role }, entry) =>
      await changeUser(deps, { statement: SET_ROLE, values: [usernameKeys(username), role] }, entry),
  }
}
