// A bounded queue that takes turns: each network waits behind its own work, not behind that of others.
import { AuthError } from '../auth/errors.ts'
import type { Clock } from '../clock.ts'

export interface FairQueueOptions {
  /** Tasks that run at the same time. */
  concurrency: number
  /** Tasks that wait, all together. */
  maxWaiting: number
  /** A task that has waited longer is not begun: under load, each would be begun when it is too late for it. */
  maxWaitMs: number
}

export interface QueuedFor {
  /** Tasks of the same network are done in their order; networks take turns, a task each. */
  network: string
  /** Asked when the turn comes: nothing is done for a caller who is gone. */
  isWaiting: () => boolean
}

export interface FairQueue {
  /**
   * Resolves or rejects as `work` does. Rejects with `unavailable`, and `work` never begins, when its turn comes too
   * late or its caller is gone by then, or when too many wait: then the last one of the network with the longest line
   * has to go.
   */
  run<T>(asker: QueuedFor, work: () => Promise<T>): Promise<T>
}

interface Waiting {
  sinceMs: number
  isWaiting: () => boolean
  begin: () => void
  refuse: (error: AuthError) => void
}

export function fairQueue(
  { concurrency, maxWaiting, maxWaitMs }: FairQueueOptions,
  { steadyMs }: Pick<Clock, 'steadyMs'>,
): FairQueue {
  // In the order of their turns; none of them is empty.
  const lines = new Map<string, Waiting[]>()
  let waiting = 0
  let running = 0

  return {
    run: async ({ network, isWaiting }, work) => {
      if (running < concurrency) running += 1
      else await turnOf(network, isWaiting)
      try {
        return await work()
      } finally {
        handOn()
      }
    },
  }

  async function turnOf(network: string, isWaiting: () => boolean): Promise<void> {
    if (waiting >= maxWaiting) makeRoom(lines.get(network)?.length ?? 0)
    await new Promise<void>((resolve, reject) => {
      const line = lines.get(network) ?? []
      line.push({ sinceMs: steadyMs(), isWaiting, begin: resolve, refuse: reject })
      lines.set(network, line)
      waiting += 1
    })
  }

  /** Refuses the last one of the longest line, unless the newcomer's, with `ownLength` in it, is as long. */
  function makeRoom(ownLength: number): void {
    const longest = [...lines.entries()].reduce((one, other) =>
      other[1].length > one[1].length ? other : one,
    )
    if (longest[1].length <= ownLength + 1) throw new AuthError('unavailable')
    take(longest, 'pop')?.refuse(new AuthError('unavailable'))
  }

  /** The place of a task that has ended goes to the next one that is worth it. */
  function handOn(): void {
    for (let next = nextInTurn(); next; next = nextInTurn()) {
      if (next.isWaiting() && steadyMs() - next.sinceMs <= maxWaitMs) {
        next.begin()
        return
      }
      next.refuse(new AuthError('unavailable'))
    }
    running -= 1
  }

  function nextInTurn(): Waiting | undefined {
    const [first] = lines
    if (!first) return undefined
    const next = take(first, 'shift')
    const [network, line] = first
    // To the end of the row.
    if (lines.delete(network) && line.length > 0) lines.set(network, line)
    return next
  }

  function take([network, line]: [string, Waiting[]], end: 'pop' | 'shift'): Waiting | undefined {
    waiting -= 1
    const taken = line[end]()
    if (line.length === 0) lines.delete(network)
    return taken
  }
}
