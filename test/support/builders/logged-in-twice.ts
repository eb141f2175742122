// Alice on two devices, and a store that gives out while her sessions are ended.
import type { EndingOfUser } from '../../../src/auth/ports/session-ends.ts'
import { memoryStores, type MemoryStores } from '../fakes/memory-stores.ts'
import { refusalOf } from '../clients/refusal-of.ts'
import { loggedIn, type LoggedIn } from './logged-in.ts'

export interface LoggedInTwice {
  stores: MemoryStores
  here: LoggedIn
  elsewhere: LoggedIn
}

export async function loggedInTwice(): Promise<LoggedInTwice> {
  const stores = memoryStores()
  stores.addUser({ username: 'alice' })
  return { stores, here: await loggedIn(stores), elsewhere: await loggedIn(stores) }
}

/**
 * Asks `ask` for the end of six sessions on stores that end the first two of them and answer no more. Resolves to
 * how that was refused, when the stores answer again.
 */
export async function halfEnded(
  stores: MemoryStores,
  ask: (failing: MemoryStores) => Promise<unknown>,
): Promise<string> {
  for (let more = 0; more < 4; more++) await loggedIn(stores)
  stores.database.batchSessions = 2
  let batches = 0
  const sessions = {
    ...stores.sessions,
    endOfUser: async (ending: EndingOfUser) => {
      stores.database.isAnswering = batches++ === 0
      return await stores.sessions.endOfUser(ending)
    },
  }
  const refusal = await refusalOf(ask({ ...stores, sessions }))
  stores.database.isAnswering = true
  return refusal
}
