// The loop that makes Redis agree with the journal, and says so only when it does.
import type { Redis } from 'ioredis'
import { AuthError } from '../auth/errors.ts'
import type { JournalTime, ReplayableJournal } from './postgres-journal.ts'
import type { RedisDenylist } from './redis-denylist.ts'

const INTERVAL_MS = 1000
/** A transaction gets its id, and so becomes visible as a writer, a moment after it began. */
const OVERLAP_MS = 10_000

export interface RelayDeps {
  redis: Redis
  denylist: RedisDenylist
  journal: ReplayableJournal
  /** Hears why a round failed, each time. */
  onFailure: (error: unknown) => void
}

export interface Relay {
  stop(): Promise<void>
}

/**
 * Replays the whole journal after every loss of trust, and its tail once a second after that:
 * what another process denied and could not carry to Redis arrives this way.
 */
export function startRelay({ redis, denylist, journal, onFailure }: RelayDeps): Relay {
  let replayedUpTo: JournalTime = 0
  /** The journal rows of the last round: where trust was kept since, Redis has them. */
  let written: ReadonlySet<string> = new Set()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  let isStopped = false

  redis.on('ready', wake)
  wake()

  return {
    stop: async () => {
      isStopped = true
      redis.off('ready', wake)
      await running
      clearTimeout(timer)
    },
  }

  function wake(): void {
    clearTimeout(timer)
    running = running.then(round)
  }

  async function round(): Promise<void> {
    if (isStopped) return
    if (redis.status === 'ready') await (denylist.isTrusted ? follow() : rebuild()).catch(giveUp)
    clearTimeout(timer)
    timer = setTimeout(wake, INTERVAL_MS)
  }

  async function follow(): Promise<void> {
    const asOf = await journal.settledUpTo()
    await replay(replayedUpTo - OVERLAP_MS, written)
    if (await denylist.renew(asOf)) replayedUpTo = asOf
    else {
      denylist.distrust()
      await rebuild()
    }
  }

  async function rebuild(): Promise<void> {
    const losses = denylist.losses
    const asOf = await journal.settledUpTo()
    const { finish } = await denylist.beginRebuild(asOf)
    await replay(0, new Set())
    await finish()
    replayedUpTo = asOf
    denylist.trust(losses)
  }

  async function replay(since: JournalTime, known: ReadonlySet<string>): Promise<void> {
    const seen = new Set<string>()
    for await (const rows of journal.readSince(since)) {
      if (isStopped) throw new AuthError('unavailable')
      await denylist.write(rows.filter(({ seq }) => !known.has(seq)))
      // Those of a whole rebuild need no remembering: the next round writes its overlap once more.
      if (since > 0) for (const { seq } of rows) seen.add(seq)
    }
    written = seen
  }

  function giveUp(error: unknown): void {
    // Without Postgres what Redis holds is still right; a Redis that takes no writes is not to be believed.
    if (!(error instanceof AuthError)) denylist.distrust()
    onFailure(error)
  }
}
