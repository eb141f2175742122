// The announcements: each denial, as it is acknowledged, in a stream that every instance reads.
import type { Clock } from '../../clock.ts'
import type { Denial } from '../../auth/ports/denials.ts'
import type { DenylistConnection } from './connection/redis-connection.ts'
import type { RedisCommands, Script, StreamEntry } from './redis-commands.ts'

/**
 * A stream in the partition 00. The first field of an entry is `journal`, with the name of the journal that its
 * denials stand in; the others are denied ids with the milliseconds that they last.
 */
export const ANNOUNCED_KEY = 'denylist:{00}:announced'

/**
 * Set by the first reader that finds none. Where it is gone, or another, Redis was emptied meanwhile, and the stream
 * may have lost entries that were never read.
 */
export const MARK_KEY = 'denylist:{00}:announced:mark'

/** Longer than a failover of Postgres takes: an instance that starts reads all of them, and so can mend the journal. */
const KEPT_SECONDS = 600
/** A reader that was away for longer may have missed some. */
const MAX_GAP_MS = 30_000
/** A reader that is further behind may find that the rest is gone by the time that it comes to it. */
const MAX_BEHIND_MS = (KEPT_SECONDS - 60) * 1000

const READ_COUNT = 500
/** Arguments of a Lua call are limited. */
const DENIALS_PER_ENTRY = 1000

/** How long a reading waits for the first entry, and all that is asked over the same connection behind it. */
export const WAIT_MS = 250

const JOURNAL_FIELD = 'journal'

/** Keys: the stream. Arguments: the fields and values of one entry. */
export const ANNOUNCE: Script = {
  name: 'announce',
  lua: `
local oldest = redis.call('TIME')[1] - ${KEPT_SECONDS}
return redis.call('XADD', KEYS[1], 'MINID', '~', string.format('%d000', oldest), '*', unpack(ARGV))`,
}

/** Keys: the mark. Arguments: a new mark, in case there is none. Answers the mark, and the time in milliseconds. */
export const READ_MARK: Script = {
  name: 'read-mark',
  lua: `
redis.call('SET', KEYS[1], ARGV[1], 'NX')
local time = redis.call('TIME')
return {redis.call('GET', KEYS[1]), time[1] * 1000 + math.floor(time[2] / 1000)}`,
}

/** Rejects when Redis does not confirm it. */
export async function announce(
  commands: Pick<RedisCommands, 'run'>,
  journalName: string,
  denials: readonly Denial[],
): Promise<void> {
  for (let start = 0; start < denials.length; start += DENIALS_PER_ENTRY) {
    const some = denials.slice(start, start + DENIALS_PER_ENTRY)
    const fields = some.flatMap(({ id, ttlMs }) => [id, Math.ceil(ttlMs)])
    await commands.run({
      script: ANNOUNCE,
      keys: [ANNOUNCED_KEY],
      args: [JOURNAL_FIELD, journalName, ...fields],
    })
  }
}

export interface Announced extends Denial {
  journalName: string
}

export interface Announcements {
  /**
   * Resolves to what was announced since it was called last, first of all to all that is kept; waits a moment where
   * that is nothing. Rejects when Redis does not answer.
   */
  next(): Promise<Announced[]>
  /** All that is kept is handed out once more. */
  beginAnew(): void
  /** Since when none has been missed; `null` while some may be. */
  readonly unbroken: Unbroken | null
  /** All that was announced before then has been handed out. By the steady clock. */
  readonly upTo: number
}

export interface Unbroken {
  /** By the steady clock. */
  since: number
  /** For as long as `MARK_KEY` says the same. */
  mark: string
}

interface Place extends Unbroken {
  /** Of the entry that was read last. */
  cursor: string
  /** By how much the clock of Redis was ahead of the steady clock. */
  redisOffsetMs: number
}

export interface AnnouncementsDeps {
  /** Of its own: others would wait behind its waiting. */
  connection: Pick<DenylistConnection, 'commands' | 'onLoss'>
  clock: Clock
  randomId: () => string
}

export function announcements({ connection, clock, randomId }: AnnouncementsDeps): Announcements {
  const { commands } = connection
  let place: Place | null = null
  let upTo = -Infinity
  let answeredAt = -Infinity

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
      const askedAt = clock.steadyMs()
      if (askedAt - answeredAt > MAX_GAP_MS || askedAt - upTo > MAX_BEHIND_MS) forget()
      const from = place ?? (await begin())
      const read = { after: from.cursor, count: READ_COUNT, blockMs: WAIT_MS }
      const [[mark], entries] = await Promise.all([
        commands.mget([MARK_KEY]),
        commands.readStream(ANNOUNCED_KEY, read),
      ])
      answeredAt = askedAt
      if (mark !== from.mark) forget()
      // It may have been forgotten meanwhile.
      if (place === from) {
        place = { ...from, cursor: entries.at(-1)?.[0] ?? from.cursor }
        if (entries.length < READ_COUNT) upTo = askedAt
      }
      const redisNowMs = clock.steadyMs() + from.redisOffsetMs
      return entries.flatMap((entry) => denialsOf(entry, redisNowMs))
    },
    beginAnew: forget,
  }

  /** With all that is kept, which no instance that starts later could know of otherwise. */
  async function begin(): Promise<Place> {
    const call = { script: READ_MARK, keys: [MARK_KEY], args: [randomId()] }
    const [mark, redisNowMs] = (await commands.run(call)) as [string, number]
    const since = clock.steadyMs()
    upTo = since
    place = { since, mark, cursor: '0-0', redisOffsetMs: redisNowMs - since }
    return place
  }

  function forget(): void {
    place = null
  }
}

/** With what is left of their time: an entry may be minutes old. */
function denialsOf([entryId, fields]: StreamEntry, redisNowMs: number): Announced[] {
  const [name, journalName = '', ...pairs] = fields
  if (name !== JOURNAL_FIELD) return []
  const ageMs = Math.max(0, redisNowMs - Number.parseInt(entryId, 10))
  const denials: Announced[] = []
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    denials.push({ id: String(pairs[i]), ttlMs: Number(pairs[i + 1]) - ageMs, journalName })
  }
  return denials
}
