// Loaded before every run: offers what its processes cannot stop by themselves, and stops it after the last of them.
import { ownPostgres } from './postgres.ts'
import { offerPostgres } from './offered-postgres.ts'

let withdraw: (() => Promise<void>) | undefined

export async function mochaGlobalSetup(): Promise<void> {
  withdraw = await offerPostgres(ownPostgres)
}

export async function mochaGlobalTeardown(): Promise<void> {
  await withdraw?.()
}
