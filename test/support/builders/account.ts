// Accounts and whoever asks for them.
import { v7 as uuidv7 } from 'uuid'
import type { Account } from '../../../src/auth/ports/accounts.ts'
import type { Caller } from '../../../src/auth/ports/caller.ts'
import type { LogEntry, CallerAddress } from '../../../src/auth/ports/log.ts'

const WHERE_FROM: CallerAddress = { ipAddress: '192.0.2.7', userAgent: 'a test' }

/** A caller who waits; what is kept of it, and copied or compared, is where it asked from. */
export const CALLER = Object.defineProperties(WHERE_FROM, {
  isWaiting: { value: () => true },
  isInTime: { value: () => true },
  noteProgress: { value: () => undefined },
}) as Caller

export function account(parts: Partial<Account> = {}): Account {
  const id = uuidv7()
  return {
    id,
    username: `user-${id}`,
    passwordHash: `hash-${id}`,
    role: 'user',
    isActive: true,
    unfinishedChange: null,
    claims: {},
    ...parts,
  }
}

export function logEntry(type: LogEntry['type'], parts: Partial<LogEntry> = {}): LogEntry {
  return { type, caller: CALLER, ...parts }
}
