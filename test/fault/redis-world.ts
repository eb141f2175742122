// What a run asks of its Redis, whichever shape that has.
import type { Random } from './random.ts'

export interface RedisWorld {
  kind: 'standalone' | 'cluster' | 'sentinel'
  url: string
  /** Where a proxy can stand in front of it; `null` where its nodes tell each other's addresses. */
  port: number | null
  /** What a peer asks. Rejects when Redis does not answer within a second. */
  mget: (keys: string[]) => Promise<(string | null)[]>
  /** What can be done to it: each one is undone by its `end`. */
  faults: readonly RedisFault[]
  /** Whatever was done to it. */
  remove: () => Promise<void>
}

export interface RedisFault {
  name: string
  begin: (random: Random) => Promise<void>
  end: () => Promise<void>
}
