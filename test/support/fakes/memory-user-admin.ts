// The UserAdmin port in memory.
import type { ChangedUser, UserAdmin } from '../../../src/auth/ports/accounts.ts'
import type { LogEntry } from '../../../src/auth/ports/log.ts'
import { usernameKey } from '../../../src/auth/accounts/username-key.ts'
import { statement, storeEntry, type MemoryDatabase, type MemoryUser } from './memory-database.ts'
import { findInMemory } from './memory-users.ts'

export function memoryUserAdmin(database: MemoryDatabase): UserAdmin {
  return {
    add: async (user, entry) =>
      await statement(database, () => {
        if (findInMemory(database, user.username)) return false
        const createdAt = new Date(database.clock.nowMs())
        database.users.push({
          ...user,
          isActive: true,
          unfinishedChange: null,
          claims: {},
          createdAt,
          lastLoginAt: null,
        })
        storeEntry(database, { ...entry, userId: user.id })
        return true
      }),

    list: async () =>
      await statement(database, () =>
        database.users
          .map(({ id, username, role, isActive, createdAt, lastLoginAt }) => ({
            id,
            username,
            role,
            isActive,
            createdAt,
            lastLoginAt,
          }))
          .sort((a, b) => (usernameKey(a.username) < usernameKey(b.username) ? -1 : 1)),
      ),

    disable: async (username, entry) =>
      await change(username, entry, (user) => {
        user.isActive = false
        user.unfinishedChange = null
      }),

    enable: async (username, entry) => {
      const enabled = await change(username, entry, (user) => {
        user.isActive = true
        user.unfinishedChange = null
      })
      return enabled !== null
    },

    setClaims: async ({ username, claims }, entry) =>
      await change(username, entry, (user) => {
        user.claims = claims
      }),

    setRole: async ({ username, role }, entry) =>
      await change(username, entry, (user) => {
        user.role = role
      }),

    setPassword: async ({ username, passwordHash }, entry) =>
      await change(username, entry, (user) => {
        user.passwordHash = passwordHash
      }),
  }

  async function change(
    username: string,
    entry: LogEntry,
    work: (user: MemoryUser) => void,
  ): Promise<ChangedUser | null> {
    return await statement(database, () => {
      const user = findInMemory(database, username)
      if (!user) return null
      storeEntry(database, { ...entry, userId: user.id })
      work(user)
      return { id: user.id }
    })
  }
}
