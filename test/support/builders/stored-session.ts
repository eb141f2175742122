// Users and sessions that a store holds already.
import { expect } from 'chai'
import { v4 as uuidv4 } from 'uuid'
import type { Account } from '../../../src/auth/ports/accounts.ts'
import type { Denial } from '../../../src/auth/ports/denials.ts'
import type { EndingSession, NewSession } from '../../../src/auth/ports/sessions.ts'
import type { StoreSubject } from '../../conformance/store-subject.ts'
import { account, logEntry } from './account.ts'
import { newSession } from './new-session.ts'

export async function storedUser(store: StoreSubject, parts: Partial<Account> = {}): Promise<Account> {
  const user = account(parts)
  expect(await store.userAdmin.add(user, logEntry('USER_ADDED'))).to.equal(true)
  return user
}

/** A session of the user that was begun just now. */
export async function storedSession(
  store: StoreSubject,
  user: Account,
  livesSeconds = 3600,
): Promise<NewSession> {
  return await begunSession(store, newSession(user, Math.floor(store.nowMs() / 1000) + livesSeconds))
}

async function begunSession(store: StoreSubject, session: NewSession): Promise<NewSession> {
  expect(await store.sessions.begin(session, logEntry('USER_LOGIN'))).not.to.equal(null)
  return session
}

/** Its logout. */
export function ending(session: NewSession, parts: Partial<EndingSession> = {}): EndingSession {
  const { id, account: user, expiresAt } = session
  return { id, userId: user.id, reason: 'logout', expiresAt, ...parts }
}

export async function logOut(store: StoreSubject, session: NewSession): Promise<Denial | null> {
  return await store.sessions.end(ending(session), logEntry('USER_LOGOUT'))
}

/** Whether the journal denies the tokens of the session. */
export async function isDenied(store: StoreSubject, sid: string): Promise<boolean> {
  return await store.journal.isDenied({ sid, jti: uuidv4() })
}

export function idsOf(denials: readonly { id: string }[] | null): string[] | undefined {
  return denials?.map(({ id }) => id)
}

/** The newest first. */
export async function liveIds(store: StoreSubject, userId: string): Promise<string[]> {
  return (await store.sessions.list({ userId, before: null, limit: 1000 })).map(({ id }) => id)
}
