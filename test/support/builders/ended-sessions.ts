// What a change does to the sessions of a user, from its first step to its last: as the rules do it, with the denials.
import { eachBatch, endOfUser } from '../../../src/auth/accounts/end-of-user.ts'
import type { Account, ChangedUser } from '../../../src/auth/ports/accounts.ts'
import type { Denial } from '../../../src/auth/ports/denials.ts'
import type { EndedBatch, EndingOfUser } from '../../../src/auth/ports/session-ends.ts'
import type { EndingSession } from '../../../src/auth/ports/sessions.ts'
import type { StoreSubject } from '../../conformance/store-subject.ts'
import { logEntry, CALLER } from './account.ts'

const LOGOUT = logEntry('USER_LOGOUT')
const CHANGED = logEntry('PASSWORD_CHANGED')

/** Every batch of it; resolves to all denials. */
async function endedOf(
  { sessions }: Pick<StoreSubject, 'sessions'>,
  ending: EndingOfUser,
): Promise<Denial[]> {
  return await collected(async (tell) => await endOfUser({ sessions, tell, caller: CALLER }, ending))
}

export async function disabled(store: StoreSubject, username: string): Promise<Denial[] | null> {
  const user = await store.userAdmin.disable(username, logEntry('USER_DISABLED'))
  return await endedIf(store, user, { reason: 'user_disabled' })
}

export async function passwordSet(
  store: StoreSubject,
  change: { username: string; passwordHash: string },
): Promise<Denial[] | null> {
  const user = await store.userAdmin.setPassword(change, CHANGED)
  return await endedIf(store, user, { reason: 'password_changed' })
}

export async function roleSet(
  store: StoreSubject,
  change: { username: string; role: string },
): Promise<Denial[] | null> {
  const user = await store.userAdmin.setRole(change, logEntry('ROLE_CHANGED'))
  return await endedIf(store, user, { reason: 'role_changed' })
}

export async function passwordChanged(
  store: StoreSubject,
  { keepSessionId, ...change }: { account: Account; passwordHash: string; keepSessionId: string },
  entry = CHANGED,
): Promise<Denial[] | null> {
  const user = await store.ownAccount.changePassword(change, entry)
  const denials = await endedIf(store, user, { reason: 'password_changed', keepSessionId })
  if (user) await store.ownAccount.finishPasswordChange(user.id)
  return denials
}

export async function removed(
  store: StoreSubject,
  account: Account,
  entry = logEntry('USER_DELETED'),
): Promise<Denial[] | null> {
  const user = await store.ownAccount.close(account, entry)
  if (!user) return null
  return await collected(
    async (tell) =>
      await eachBatch({ tell, caller: CALLER }, async () => await store.ownAccount.remove(user.id)),
  )
}

export async function allEnded(
  { sessions }: StoreSubject,
  asking: Pick<EndingSession, 'id' | 'expiresAt'>,
): Promise<Denial[] | null> {
  return await ofOneBatch(sessions.endAll(asking, LOGOUT))
}

export async function othersEnded({ sessions }: StoreSubject, id: string): Promise<Denial[] | null> {
  return await ofOneBatch(sessions.endOthers(id, LOGOUT))
}

/** The denials of a batch that was the last one. */
async function ofOneBatch(ended: Promise<EndedBatch | null>): Promise<Denial[] | null> {
  const batch = await ended
  if (batch?.isLast === false) throw new Error('there are more of them')
  return batch && batch.denials
}

async function endedIf(
  store: StoreSubject,
  user: ChangedUser | null,
  ending: Omit<EndingOfUser, 'userId'>,
): Promise<Denial[] | null> {
  return user && (await endedOf(store, { userId: user.id, ...ending }))
}

async function collected(
  work: (tell: (denials: Denial[]) => Promise<void>) => Promise<unknown>,
): Promise<Denial[]> {
  const all: Denial[] = []
  await work(async (denials) => {
    all.push(...denials)
    await Promise.resolve()
  })
  return all
}
