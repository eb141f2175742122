// The Users port in memory.
import type { Account, Users } from '../../../src/auth/ports/accounts.ts'
import { usernameKey, usernameKeys } from '../../../src/auth/accounts/username-key.ts'
import { statement, type MemoryDatabase, type MemoryUser } from './memory-database.ts'

export function memoryUsers(database: MemoryDatabase): Users {
  return {
    findByUsername: async (username) =>
      await statement(database, () => accountOf(findInMemory(database, username))),

    findById: async (id) =>
      await statement(database, () => accountOf(database.users.find((user) => user.id === id))),
  }
}

export function findInMemory(database: MemoryDatabase, username: string): MemoryUser | undefined {
  const [before, today] = usernameKeys(username)
  const storedAs = (key: string) =>
    database.users.find((user) => (user.usernameKey ?? usernameKey(user.username)) === key)
  return storedAs(before) ?? storedAs(today)
}

function accountOf(user: MemoryUser | undefined): Account | null {
  if (!user) return null
  const { id, username, passwordHash, role, isActive, unfinishedChange, claims } = user
  return { id, username, passwordHash, role, isActive, unfinishedChange, claims }
}
