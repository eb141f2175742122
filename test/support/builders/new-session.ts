// Sessions as login asks a store to begin them.
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import type { Account } from '../../../src/auth/ports/accounts.ts'
import type { NewSession } from '../../../src/auth/ports/sessions.ts'

/** One that lives until `expiresAt`, in epoch seconds. */
export function newSession(account: Account, expiresAt: number, parts: Partial<NewSession> = {}): NewSession {
  return { id: uuidv7(), account, refreshJti: uuidv4(), expiresAt, maxSessions: 100, ...parts }
}
