// The partitions of the denylist in Redis: how far each agrees with the journal, and how it is brought further.
import { randomBytes } from 'node:crypto'
import type { Denial } from '../../auth/ports/denials.ts'
import { type JournalTime, denialKey, PARTITIONS, watermarkKey } from '../../contract/denylist-keys.ts'
import type { RedisConnection } from './connection/redis-connection.ts'

/** Where one partition stands, read at one moment. */
export interface PartitionState {
  partition: string
  /** Changes with every step; empty where nothing was ever relayed, or all of it was lost. */
  position: string
  /** It holds every live denial that was journaled up to here; `0` where nothing is known. */
  relayedUpTo: JournalTime
  /** Whether its watermark stands, for peers to see. */
  isSynced: boolean
  /** Milliseconds by the clock of the Redis that holds it. */
  redisNowMs: number
}

/** A step of one partition: all of it is done, or nothing. */
export interface Step {
  partition: string
  /** Where it must still stand. */
  from: string
  /** Up to where the journal is in, once the step is done. */
  relayedUpTo: JournalTime
  denials?: Denial[]
  /** Sets the watermark, which falls by itself at this time of the partition's Redis. */
  syncedUntilMs?: number
  /** It stands by the word of all instances, and not by the journal. */
  isByWord?: true
}

export interface Watermarks {
  /** Resolves to those that could be read. Rejects when none could. */
  read(): Promise<PartitionState[]>
  /** Resolves to the new position, or to `null` when it stood elsewhere: emptied, rolled back, or moved by another. */
  step(step: Step): Promise<string | null>
  /** Forgets how far each was brought, watermark first; the denials stay. */
  reset(): Promise<void>
}

/** Without an expiry: a watermark that fell because nobody could renew it does not cost a rebuild. */
export function positionKey(partition: string): string {
  return `denylist:{${partition}}:relayed`
}

const BY_WORD = ':by-word'

/** Whether the step that led there has set its watermark by the word of all instances. */
export function isByWord(position: string): boolean {
  return position.endsWith(BY_WORD)
}

const READ = `
local time = redis.call('TIME')
return {redis.call('GET', KEYS[1]) or '', redis.call('EXISTS', KEYS[2]), time[1] * 1000 + math.floor(time[2] / 1000)}`

// One script, so that a replica, an append-only file or a snapshot has a position only with all that it stands for.
const STEP = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
for i = 3, #KEYS do redis.call('SET', KEYS[i], '1', 'PX', ARGV[i + 2]) end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[4] ~= '' then redis.call('SET', KEYS[2], ARGV[3], 'PXAT', ARGV[4]) end
return 1`

export function redisWatermarks({ client }: Pick<RedisConnection, 'client'>): Watermarks {
  /** No two steps, of whatever process, lead to the same position. */
  const nonce = randomBytes(6).toString('base64url')
  let steps = 0

  return {
    read: async () => {
      const outcomes = await Promise.allSettled(PARTITIONS.map(read))
      const states = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
      const failure = outcomes.find((outcome) => outcome.status === 'rejected')
      if (states.length === 0 && failure) throw failure.reason
      return states
    },

    step: async ({ partition, from, relayedUpTo, denials = [], syncedUntilMs, ...by }) => {
      steps += 1
      const position = `${relayedUpTo}:${nonce}${steps}${by.isByWord ? BY_WORD : ''}`
      const live = denials.filter(({ ttlMs }) => ttlMs >= 1)
      const isDone = await client.eval(
        STEP,
        2 + live.length,
        positionKey(partition),
        watermarkKey(partition),
        ...live.map(({ id }) => denialKey(id)),
        from,
        position,
        relayedUpTo,
        syncedUntilMs ?? '',
        ...live.map(({ ttlMs }) => Math.ceil(ttlMs)),
      )
      return isDone === 1 ? position : null
    },

    reset: async () => {
      await Promise.all(
        PARTITIONS.map(
          async (partition) => await client.del(watermarkKey(partition), positionKey(partition)),
        ),
      )
    },
  }

  async function read(partition: string): Promise<PartitionState> {
    const keys = [positionKey(partition), watermarkKey(partition)]
    const [position, synced, redisNowMs] = (await client.eval(READ, keys.length, ...keys)) as [
      string,
      number,
      number,
    ]
    return {
      partition,
      position,
      relayedUpTo: Number.parseFloat(position) || 0,
      isSynced: synced === 1,
      redisNowMs,
    }
  }
}
