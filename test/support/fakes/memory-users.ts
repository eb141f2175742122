// The Users port in memory.
import type { Account, Users } from '../../../src/auth/ports/accounts.ts'
import { usernameKey } from '../../../src/auth/username-key.ts'
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
  const key = usernameKey(username)
  return database.users.find((user) => usernameKey(user.username) === key)
}

function accountOf(user: MemoryUser | undefined): Account | null {
  if (!user) return null
  const { id, username, passwordHash, role, isActive, unfinishedChange, claims } = user
  return { id, username, passwordHash, role, isActive, unfinishedChange, claims }
}
