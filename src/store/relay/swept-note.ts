// Notes in Redis what the last sweep found, for `signoff denylist status`.
import type { DenylistConnection } from '../redis/connection/redis-connection.ts'
import type { Swept } from './sweep.ts'

const SWEPT_KEY = 'denylist:{00}:swept'
const KEPT_MS = 86_400_000

type Commands = Pick<DenylistConnection, 'commands'>

/** Rejects with the driver's error. */
export async function noteSwept({ commands }: Commands, swept: Swept): Promise<void> {
  await commands.set(SWEPT_KEY, JSON.stringify(swept), KEPT_MS)
}

/** `null` where no sweep has ended within a day. Rejects with the driver's error. */
export async function readSwept({ commands }: Commands): Promise<Swept | null> {
  const [text = null] = await commands.mget([SWEPT_KEY])
  return text === null ? null : (JSON.parse(text) as Swept)
}
