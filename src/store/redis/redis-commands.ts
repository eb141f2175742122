// The denylist asks this of Redis: a handful of commands and scripts, so that a simulated Redis can answer them too.

/** Runs in Redis as one command: all of it or nothing, and nothing else in between. */
export interface Script {
  /** By which a simulated Redis knows it. */
  name: string
  lua: string
}

/** One command of many that a script may be asked to run. */
export interface ScriptCall {
  script: Script
  /** In Redis Cluster all of them are in one slot. */
  keys: string[]
  args: (string | number)[]
}

/** A stream holds these: an id, and fields and values in turn. */
export type StreamEntry = [id: string, fields: string[]]

/** Each rejects when Redis does not confirm it within its timeout, or refuses it. */
export interface RedisCommands {
  /** A value or `null` for each key; in Redis Cluster all keys are in one slot. */
  mget(keys: string[]): Promise<(string | null)[]>
  /** Expires after `ttlMs`, by the clock of Redis. */
  set(key: string, value: string | number, ttlMs: number): Promise<void>
  run(call: ScriptCall): Promise<unknown>
  /** Entries after the id `after`, `count` at the most; waits for the first one for `blockMs`. */
  readStream(key: string, read: StreamRead): Promise<StreamEntry[]>
}

export interface StreamRead {
  after: string
  count: number
  blockMs: number
}
