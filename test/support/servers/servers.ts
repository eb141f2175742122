// Loaded before every run: offers what its processes cannot stop by themselves, and stops it after the last of them.
import { ownPostgres, preparedData } from './postgres.ts'
import { offerPostgres } from './offered-postgres.ts'
import { ownRunFolder } from './run-folder.ts'

let clear: (() => void) | undefined
let withdraw: (() => Promise<void>) | undefined

export async function mochaGlobalSetup(): Promise<void> {
  clear = ownRunFolder()
  withdraw = await offerPostgres({ start: ownPostgres, prepare: preparedData })
}

export async function mochaGlobalTeardown(): Promise<void> {
  await withdraw?.()
  clear?.()
}
