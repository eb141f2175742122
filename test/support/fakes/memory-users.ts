// The Users port in memory.
import type { Users } from '../../../src/auth/ports.ts'
import { statement, type MemoryDatabase, type MemoryUser } from './memory-database.ts'

export function memoryUsers(database: MemoryDatabase): Users {
  return {
    findByUsername: async (username) =>
      await statement(database, () => {
        const user = findInMemory(database, username)
        if (!user) return null
        const { id, username: name, passwordHash, role, isActive } = user
        return { id, username: name, passwordHash, role, isActive }
      }),
  }
}

export function findInMemory(database: MemoryDatabase, username: string): MemoryUser | undefined {
  return database.users.find((user) => sameName(user.username, username))
}

function sameName(a: string, b: string): boolean {
  return a.normalize('NFC').toLowerCase() === b.normalize('NFC').toLowerCase()
}
