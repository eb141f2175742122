// What one simulated Redis holds: strings that expire, one kind of stream, and the changes that a replica would get.
import type { StreamEntry } from '../../../src/store/redis/redis-commands.ts'

export interface StringValue {
  value: string
  /** `Infinity` for one that stays. */
  expiresAtMs: number
}

export interface StreamValue {
  entries: StreamEntry[]
  lastMs: number
  lastSeq: number
}

/** A change as a replica or a file gets it. */
export type Effect =
  | { kind: 'set'; key: string; value: string; expiresAtMs: number }
  | { kind: 'del'; key: string }
  | { kind: 'add'; key: string; id: string; fields: string[] }
  | { kind: 'trim'; key: string; count: number }

export interface RedisData {
  readonly strings: Map<string, StringValue>
  readonly streams: Map<string, StreamValue>
}

export function redisData(): RedisData {
  return { strings: new Map(), streams: new Map() }
}

export function copyOf({ strings, streams }: RedisData): RedisData {
  return {
    strings: new Map(strings),
    streams: new Map([...streams].map(([key, stream]) => [key, { ...stream, entries: [...stream.entries] }])),
  }
}

/** `null` for what is not there, or has expired by then. */
export function read({ strings }: RedisData, key: string, nowMs: number): string | null {
  const held = strings.get(key)
  return held && held.expiresAtMs > nowMs ? held.value : null
}

export function apply(data: RedisData, effect: Effect): void {
  switch (effect.kind) {
    case 'set':
      data.strings.set(effect.key, { value: effect.value, expiresAtMs: effect.expiresAtMs })
      return
    case 'del':
      data.strings.delete(effect.key)
      data.streams.delete(effect.key)
      return
    case 'add': {
      const stream = streamAt(data, effect.key)
      stream.entries.push([effect.id, effect.fields])
      const [ms = '0', seq = '0'] = effect.id.split('-')
      stream.lastMs = Number(ms)
      stream.lastSeq = Number(seq)
      return
    }
    case 'trim': {
      const stream = streamAt(data, effect.key)
      stream.entries = stream.entries.slice(effect.count)
    }
  }
}

/** Forgets what has expired. */
export function expire({ strings }: RedisData, nowMs: number): void {
  for (const [key, { expiresAtMs }] of strings) if (expiresAtMs <= nowMs) strings.delete(key)
}

/** Entries after the id `after`, `count` at the most. */
export function entriesAfter(
  data: RedisData,
  key: string,
  read: { after: string; count: number },
): StreamEntry[] {
  const entries = data.streams.get(key)?.entries ?? []
  let first = entries.length
  while (first > 0 && isAfter((entries[first - 1] as StreamEntry)[0], read.after)) first -= 1
  return entries.slice(first, first + read.count)
}

/** The id that the next entry of a stream gets at that time: ids only grow, whatever the clock does. */
export function nextStreamId(data: RedisData, key: string, nowMs: number): string {
  const { lastMs, lastSeq } = data.streams.get(key) ?? { lastMs: 0, lastSeq: 0 }
  return nowMs > lastMs ? `${nowMs}-0` : `${lastMs}-${lastSeq + 1}`
}

function streamAt({ streams }: RedisData, key: string): StreamValue {
  let stream = streams.get(key)
  if (!stream) {
    stream = { entries: [], lastMs: 0, lastSeq: 0 }
    streams.set(key, stream)
  }
  return stream
}

function isAfter(one: string, other: string): boolean {
  const [oneMs = '0', oneSeq = '0'] = one.split('-')
  const [otherMs = '0', otherSeq = '0'] = other.split('-')
  return Number(oneMs) > Number(otherMs) || (oneMs === otherMs && Number(oneSeq) > Number(otherSeq))
}
