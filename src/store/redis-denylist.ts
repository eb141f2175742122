// The Denylist port over Redis: believed only while it is known to agree with the journal.
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Denial, Denylist } from '../auth/ports/denials.ts'
import { denialKey, partitionOf, PARTITIONS, tokenId, watermarkKey } from '../contract/denylist-keys.ts'
import type { JournalTime } from './postgres-journal.ts'

export interface RedisDenylist extends Denylist {
  readonly isTrusted: boolean
  /** How often trust was lost; a rebuild that began at one count proves nothing at the next. */
  readonly losses: number
  /** Ends trust until `trust` is called again. */
  distrust(): void
  /** Trusts it from now on, unless trust was lost again since `losses` was read. */
  trust(losses: number): void
  /** Writes denials and rejects when Redis does not confirm every one of them. */
  write(denials: Denial[]): Promise<void>
  /** Hears no more of the connection, which is about to be closed on purpose. */
  close(): void
  /**
   * Begins to bring an untrusted Redis in line: what is written between this and `finish` counts as
   * the journal up to `asOf`.
   */
  beginRebuild(asOf: JournalTime): Promise<Rebuild>
  /** Moves the watermarks on to `asOf`; `false` where one is missing, since Redis was emptied. */
  renew(asOf: JournalTime): Promise<boolean>
}

export interface Rebuild {
  /** Sets the watermarks; rejects when Redis was emptied since the rebuild began. */
  finish: () => Promise<void>
}

/** For a rebuild that was left behind by a crash. */
const REBUILD_TTL_SECONDS = 600

/** `onTrust` hears every change. */
export function redisDenylist(redis: Redis, onTrust: (isTrusted: boolean) => void): RedisDenylist {
  /** The same for every try of this process, so that those which fail leave nothing behind them. */
  const rebuildId = randomUUID()
  let isTrusted = false
  let losses = 0

  function distrust(): void {
    losses += 1
    if (!isTrusted) return
    isTrusted = false
    onTrust(false)
  }

  // Who comes back may have forgotten: a restart, a failover, an empty cache.
  redis.on('close', distrust)

  return {
    get isTrusted() {
      return isTrusted
    },
    get losses() {
      return losses
    },
    distrust,

    trust: (lossesAtStart) => {
      if (lossesAtStart !== losses || isTrusted) return
      isTrusted = true
      onTrust(true)
    },

    check: async ({ sid, jti }) => {
      if (!isTrusted) return 'unknown'
      try {
        const [synced, sessionDenied, tokenDenied] = await redis.mget(
          watermarkKey(partitionOf(sid)),
          denialKey(sid),
          denialKey(tokenId(sid, jti)),
        )
        if (sessionDenied !== null || tokenDenied !== null) return 'denied'
        if (synced !== null) return 'live'
        // Emptied behind our back.
        distrust()
        return 'unknown'
      } catch {
        distrust()
        return 'unknown'
      }
    },

    deny: async (denials) => {
      try {
        await write(denials)
      } catch {
        distrust()
      }
    },

    write,

    close: () => {
      redis.off('close', distrust)
    },

    beginRebuild: async (asOf) => await beginRebuild(redis, rebuildId, asOf),

    renew: async (asOf) => {
      const pipeline = redis.pipeline()
      for (const partition of PARTITIONS) pipeline.set(watermarkKey(partition), asOf, 'XX')
      return (await confirmed(pipeline)).every((answer) => answer === 'OK')
    },
  }

  async function write(denials: Denial[]): Promise<void> {
    const live = denials.filter(({ ttlMs }) => ttlMs >= 1)
    const [only] = live
    if (only && live.length === 1) {
      await redis.set(denialKey(only.id), '1', 'PX', Math.ceil(only.ttlMs))
      return
    }
    const pipeline = redis.pipeline()
    for (const { id, ttlMs } of live) pipeline.set(denialKey(id), '1', 'PX', Math.ceil(ttlMs))
    await confirmed(pipeline)
  }
}

async function beginRebuild(redis: Redis, id: string, asOf: JournalTime): Promise<Rebuild> {
  const begun = redis.pipeline()
  for (const partition of PARTITIONS) {
    begun.set(rebuildKey(partition, id), asOf, 'EX', REBUILD_TTL_SECONDS)
  }
  await confirmed(begun)
  return {
    finish: async () => {
      // A rename fails where the key is gone: emptied in between, Redis ends up without a watermark.
      const finished = redis.pipeline()
      for (const partition of PARTITIONS) finished.rename(rebuildKey(partition, id), watermarkKey(partition))
      await confirmed(finished)
    },
  }
}

/** A watermark in the making. */
function rebuildKey(partition: string, id: string): string {
  return `${watermarkKey(partition)}:${id}`
}

async function confirmed(pipeline: ReturnType<Redis['pipeline']>): Promise<unknown[]> {
  const results = (await pipeline.exec()) ?? []
  for (const [error] of results) if (error) throw error
  return results.map(([, answer]) => answer)
}
