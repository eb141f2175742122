// The announcements: each denial, as it is acknowledged, for the instances that feed replicas with it.
import { randomUUID } from 'node:crypto'
import type { Denial } from '../../auth/ports/denials.ts'
import type { RedisConnection } from './connection/redis-connection.ts'

/** A stream, in the partition `00`; the names of its fields are denied ids, their values milliseconds to live. */
const KEY = 'denylist:{00}:announced'

/**
 * Set by whoever begins to read and finds none: where it is gone, or another, Redis was emptied meanwhile, and the
 * stream may have lost what nobody has read.
 */
export const MARK_KEY = 'denylist:{00}:announced:mark'

/** Long enough for a reader that was slow; the others have the journal. */
const KEPT_SECONDS = 60
/** A reader that was away for longer may have missed some. */
const MAX_GAP_MS = 30_000

const READ_COUNT = 500
/** Arguments of a Lua call are limited. */
const DENIALS_PER_ENTRY = 1000

/** Much less than a command may take: others wait behind it. */
const WAIT_MS = 100

const ADD = `
local oldest = redis.call('TIME')[1] - ${KEPT_SECONDS}
return redis.call('XADD', KEYS[1], 'MINID', '~', string.format('%d000', oldest), '*', unpack(ARGV))`

const BEGIN = `
redis.call('SET', KEYS[2], ARGV[1], 'NX')
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
return {redis.call('GET', KEYS[2]), last and last[1] or '0-0'}`

/** Rejects when Redis does not confirm it. */
export async function announce(
  { client }: Pick<RedisConnection, 'client'>,
  denials: readonly Denial[],
): Promise<void> {
  for (let start = 0; start < denials.length; start += DENIALS_PER_ENTRY) {
    const fields = denials
      .slice(start, start + DENIALS_PER_ENTRY)
      .flatMap(({ id, ttlMs }) => [id, Math.ceil(ttlMs)])
    await client.eval(ADD, 1, KEY, ...fields)
  }
}

export interface Announcements {
  /**
   * Resolves to what was announced since it was called last; waits a moment where that is nothing. Rejects when
   * Redis does not answer.
   */
  next(): Promise<Denial[]>
  /** Since when none has been missed; `null` while some may be. */
  readonly unbroken: Unbroken | null
  /** All that was announced before then has been handed out. By `performance.now()`. */
  readonly upTo: number
}

export interface Unbroken {
  /** By `performance.now()`. */
  since: number
  /** For as long as `MARK_KEY` says the same. */
  mark: string
}

interface Place extends Unbroken {
  /** Of the entry that was read last. */
  cursor: string
}

/** On a connection of its own: others would wait behind its waiting. */
export function announcements(connection: RedisConnection): Announcements {
  const { client } = connection
  let place: Place | null = null
  let upTo = -Infinity

  // Another server may count anew, or have lost some.
  connection.onLoss(forget)

  return {
    get unbroken() {
      return place
    },
    get upTo() {
      return upTo
    },
    next: async () => {
      const askedAt = performance.now()
      if (askedAt - upTo > MAX_GAP_MS) forget()
      const from = place ?? (await begin())
      const [mark, answer] = await Promise.all([
        client.get(MARK_KEY),
        client.xread('COUNT', READ_COUNT, 'BLOCK', WAIT_MS, 'STREAMS', KEY, from.cursor),
      ])
      const entries = answer?.[0]?.[1] ?? []
      if (mark !== from.mark) forget()
      // Else it was forgotten meanwhile.
      if (place === from) {
        place = { ...from, cursor: entries.at(-1)?.[0] ?? from.cursor }
        if (entries.length < READ_COUNT) upTo = askedAt
      }
      return entries.flatMap(([, fields]) => denialsOf(fields))
    },
  }

  /** With what comes from now on. */
  async function begin(): Promise<Place> {
    const [mark, cursor] = (await client.eval(BEGIN, 2, KEY, MARK_KEY, randomUUID())) as [string, string]
    const since = performance.now()
    upTo = since
    place = { since, mark, cursor }
    return place
  }

  function forget(): void {
    place = null
  }
}

function denialsOf(fields: string[]): Denial[] {
  const denials: Denial[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    denials.push({ id: String(fields[i]), ttlMs: Number(fields[i + 1]) })
  }
  return denials
}
