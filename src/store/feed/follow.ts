// One step of following what is denied: by the journal, or for as long as Postgres is away by what Redis vouches for.
import { setTimeout as sleep } from 'node:timers/promises'
import { watermarkKey } from '../../contract/denylist-keys.ts'
import { OVERLAP_MS, type JournalReader } from '../postgres/journal-reader.ts'
import { MARK_KEY, type Announcements } from '../redis/announcements.ts'
import { isByWord, positionKey } from '../redis/watermarks.ts'
import type { RedisConnection } from '../redis/connection/redis-connection.ts'
import { ANNOUNCED_ONLY_MS } from '../redis/redis-denylist.ts'
import type { FilledFeed } from './denial-feed.ts'

/** Longer than that is not waited for Postgres; what it answers in the end counts all the same. */
const POSTGRES_PATIENCE_MS = 500

const VOUCHED = `
local function get(key) return redis.call('GET', key) or '' end
return {get(KEYS[1]), redis.call('PTTL', KEYS[1]), get(KEYS[2]), get(KEYS[3])}`
const VOUCHED_KEYS = [watermarkKey('00'), positionKey('00'), MARK_KEY]

export interface FollowDeps {
  feed: FilledFeed
  journal: JournalReader
  /** `null` without Redis. */
  redis: { connection: Pick<RedisConnection, 'client'>; announcements: Announcements } | null
}

export interface Follow {
  /** Resolves to whether the journal has answered. Never rejects. */
  step(): Promise<boolean>
}

export function follow(deps: FollowDeps): Follow {
  const { feed, journal, redis } = deps
  /** When the last reading of the journal that succeeded was begun. */
  let readAt = -Infinity
  let reading: Promise<boolean> | null = null

  return {
    step: async () => {
      reading ??= read().then(
        () => true,
        () => false,
      )
      const isRead = await Promise.race([reading, sleep(POSTGRES_PATIENCE_MS, null, { ref: false })])
      if (isRead !== null) reading = null
      if (isRead !== true && redis) await vouch(redis).catch(() => undefined)
      return isRead === true
    },
  }

  async function read(): Promise<void> {
    const askedAt = performance.now()
    const { nowMs, settledUpTo } = await journal.clock()
    // A clock that was set back, as after a failover, must not hide what is written now.
    const since = Math.max(Math.min(feed.position, settledUpTo) - OVERLAP_MS, nowMs - feed.windowMs)
    for await (const rows of journal.readSince(since)) feed.read(rows)
    readAt = askedAt
    feed.journaled(askedAt, settledUpTo)
  }

  /**
   * Without Postgres watermarks stand by the word of every instance that what it acknowledged is in Redis, and
   * announced (docs/promise.md). Others stand by the journal: by that alone, something need not be announced.
   */
  async function vouch({ connection, announcements }: NonNullable<FollowDeps['redis']>): Promise<void> {
    const { upTo } = announcements
    const askedAt = performance.now()
    const [watermark, leftMs, position, mark] = (await connection.client.eval(
      VOUCHED,
      VOUCHED_KEYS.length,
      ...VOUCHED_KEYS,
    )) as [string, number, string, string]
    const { unbroken } = announcements
    if (watermark === '' || !isByWord(position)) return
    if (Number(watermark) > feed.position + ANNOUNCED_ONLY_MS) return
    if (unbroken === null || unbroken.since > readAt || unbroken.mark !== mark) return
    feed.vouched(Math.min(askedAt + leftMs - feed.leaseSeconds * 1000, upTo))
  }
}
