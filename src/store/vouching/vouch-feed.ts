// Whether a feed is complete although the journal cannot be read: by the word of every instance, and the announcements.
import type { Clock } from '../../clock.ts'
import { watermarkKey } from '../../contract/denylist-keys.ts'
import { MARK_KEY, type Announcements } from '../redis/announcements.ts'
import type { DenylistConnection } from '../redis/connection/redis-connection.ts'
import { parsePosition, parseWatermark, type Watermark } from '../redis/proof.ts'
import type { Script } from '../redis/redis-commands.ts'
import { ANNOUNCED_ONLY_MS } from './required-up-to.ts'
import { positionKey } from '../redis/watermarks.ts'
import type { FilledFeed } from '../feed/denial-feed.ts'

/** Keys: watermark, position, mark. Answers each or '', and after the watermark the milliseconds until it falls. */
export const READ_VOUCHED: Script = {
  name: 'read-vouched',
  lua: `
local function get(key) return redis.call('GET', key) or '' end
return {get(KEYS[1]), redis.call('PTTL', KEYS[1]), get(KEYS[2]), get(KEYS[3])}`,
}
const KEYS = [watermarkKey('00'), positionKey('00'), MARK_KEY]

export interface VouchFeedDeps {
  clock: Clock
  feed: FilledFeed
  connection: Pick<DenylistConnection, 'commands'>
  announcements: Announcements
  /** Whether a watermark speaks of this journal, and was set by an instance of this deployment. */
  believes: (watermark: Watermark) => boolean
}

/**
 * Without the journal a watermark stands by the word of every instance that what it acknowledged is in Redis, and
 * announced (docs/promise.md). Others stand by the journal: by that alone, something need not be announced.
 * `readAt`: when the last reading of the journal that succeeded was begun. Rejects with the driver's error.
 */
export async function vouchFeed(deps: VouchFeedDeps, readAt: number): Promise<void> {
  const { clock, feed, announcements } = deps
  const { upTo } = announcements
  const askedAt = clock.steadyMs()
  const call = { script: READ_VOUCHED, keys: KEYS, args: [] }
  const answer = (await deps.connection.commands.run(call)) as [string, number, string, string]
  const [watermark, position] = [parseWatermark(answer[0]), parsePosition(answer[2])]
  const [leftMs, mark] = [answer[1], answer[3]]
  const { unbroken } = announcements
  if (!watermark || !position?.isByAcks || !deps.believes(watermark)) return
  if (watermark.relayedUpTo > feed.position + ANNOUNCED_ONLY_MS) return
  if (unbroken === null || unbroken.since > readAt || unbroken.mark !== mark) return
  feed.vouched(Math.min(askedAt + leftMs - feed.leaseSeconds * 1000, upTo))
}
