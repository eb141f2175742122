// The Users port: reads accounts for login.
import type { Users } from '../auth/ports.ts'
import type { Postgres, Statement } from './postgres.ts'

const FIND: Statement = {
  name: 'users.find',
  text: 'SELECT id, username, password_hash, role, is_active FROM users WHERE username_key = $1',
}

interface UserRow {
  id: string
  username: string
  password_hash: string
  role: string
  is_active: boolean
}

/** Names are the same when they differ in case, or in how Unicode spells an accent. */
export function usernameKey(username: string): string {
  return username.normalize('NFC').toLowerCase()
}

export function postgresUsers(postgres: Postgres): Users {
  return {
    findByUsername: async (username) => {
      const [row] = await postgres.query<UserRow>(FIND, [usernameKey(username)])
      return row
        ? {
            id: row.id,
            username: row.username,
            passwordHash: row.password_hash,
            role: row.role,
            isActive: row.is_active,
          }
        : null
    },
  }
}
