// The Users port: reads accounts.
import type { Account, Users } from '../../auth/ports/accounts.ts'
import { usernameKeys } from '../../auth/accounts/username-key.ts'
import type { Postgres, Statement } from './postgres.ts'
import { ROW_OF_USERNAME } from './username-row.ts'

const ACCOUNT = `
  id, username, password_hash AS "passwordHash", role, is_active AS "isActive", unfinished_change AS "unfinishedChange",
  claims`

const FIND_BY_USERNAME: Statement = {
  name: 'users.findByUsername',
  text: `SELECT ${ACCOUNT} FROM users WHERE ${ROW_OF_USERNAME}`,
}

const FIND_BY_ID: Statement = {
  name: 'users.findById',
  text: `SELECT ${ACCOUNT} FROM users WHERE id = $1`,
}

export function postgresUsers(postgres: Postgres): Users {
  return {
    findByUsername: async (username) => {
      const [account] = await postgres.query<Account>(FIND_BY_USERNAME, [usernameKeys(username)])
      return account ?? null
    },

    findById: async (id) => {
      const [account] = await postgres.query<Account>(FIND_BY_ID, [id])
      return account ?? null
    },
  }
}
