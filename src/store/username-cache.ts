// The Usernames port over Users: remembers what it has read, and waits for nobody.
import { setTimeout as sleep } from 'node:timers/promises'
import QuickLRU from 'quick-lru'
import type { Usernames, Users } from '../auth/ports/accounts.ts'

/** Names never change, and the tokens of a deleted user are dead: what is remembered stays right. At most twice as many are. */
const CAPACITY = 25_000
/** One row by its key takes a millisecond or two. */
const PATIENCE_MS = 250
/** How long a store that did not answer is left alone. */
const PAUSE_MS = 1000

export function usernameCache(users: Pick<Users, 'findById'>): Usernames {
  const names = new QuickLRU<string, string>({ maxSize: CAPACITY })
  let pausedUntilMs = 0

  return {
    nameOf: async (userId) => {
      const known = names.get(userId)
      if (known !== undefined) return known
      if (performance.now() < pausedUntilMs) return null

      const patience = new AbortController()
      const name = await Promise.race([look(userId), outOfPatience(patience.signal)])
      patience.abort()
      return name
    },
  }

  async function look(userId: string): Promise<string | null> {
    try {
      const account = await users.findById(userId)
      if (account) names.set(userId, account.username)
      return account?.username ?? null
    } catch {
      pause()
      return null
    }
  }

  async function outOfPatience(signal: AbortSignal): Promise<null> {
    await sleep(PATIENCE_MS, undefined, { signal, ref: false }).then(pause, () => undefined)
    return null
  }

  function pause(): void {
    pausedUntilMs = performance.now() + PAUSE_MS
  }
}
