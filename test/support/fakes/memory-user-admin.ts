// The UserAdmin port in memory.
import type { UserAdmin } from '../../../src/auth/ports/accounts.ts'
import type { Denial } from '../../../src/auth/ports/denials.ts'
import type { LogEntry } from '../../../src/auth/ports/log.ts'
import type { EndReason } from '../../../src/auth/ports/sessions.ts'
import { usernameKey } from '../../../src/auth/username-key.ts'
import {
  endInMemory,
  openSessions,
  statement,
  storeEntry,
  type MemoryDatabase,
  type MemoryUser,
} from './memory-database.ts'
import { findInMemory } from './memory-users.ts'

export function memoryUserAdmin(database: MemoryDatabase): UserAdmin {
  return {
    add: async (user, entry) =>
      await statement(database, () => {
        if (findInMemory(database, user.username)) return false
        const createdAt = new Date(database.clock.nowMs())
        database.users.push({ ...user, isActive: true, createdAt, lastLoginAt: null })
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
        return endAll(user, 'user_disabled')
      }),

    enable: async (username, entry) => {
      const done = await change(username, entry, (user) => {
        user.isActive = true
        return []
      })
      return done !== null
    },

    setPassword: async ({ username, passwordHash }, entry) =>
      await change(username, entry, (user) => {
        user.passwordHash = passwordHash
        return endAll(user, 'password_changed')
      }),
  }

  async function change(
    username: string,
    entry: LogEntry,
    work: (user: MemoryUser) => Denial[],
  ): Promise<Denial[] | null> {
    return await statement(database, () => {
      const user = findInMemory(database, username)
      if (!user) return null
      storeEntry(database, { ...entry, userId: user.id })
      return work(user)
    })
  }

  function endAll(user: MemoryUser, reason: EndReason): Denial[] {
    return endInMemory(database, openSessions(database, user.id), reason)
  }
}
