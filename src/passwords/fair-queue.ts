// A bounded queue that takes turns: each network waits behind its own work, not behind that of others.
import { AuthError } from '../auth/errors.ts'

export interface FairQueueOptions {
  /** Tasks that run at the same time. */
  concurrency: number
  /** Tasks that wait, all together. */
  maxWaiting: number
}

export interface QueuedFor {
  /** Tasks of the same network are done in their order; networks take turns, a task each. */
  network: string
  /** Asked when the turn comes: nothing is begun that is too late, or for a caller who is gone. */
  isInTime: () => boolean
}

export interface FairQueue {
  /**
   * Resolves or rejects as `work` does. Rejects with `unavailable`, and `work` never begins, when its turn comes too
   * late, or when too many wait: then the last one of the network with the longest line
   * has to go.
   */
  run<T>(asker: QueuedFor, work: () => Promise<T>): Promise<T>
}

interface Waiting {
  isInTime: () => boolean
  begin: () => void
  refuse: (error: AuthError) => void
}

export function fairQueue({ concurrency, maxWaiting }: FairQueueOptions): FairQueue {
  // In the order of their turns; none of them is empty.
  const lines = new Map<string, Waiting[]>()
  let waiting = 0
  let running = 0

  return {
    run: async ({ network, isInTime }, work) => {
      if (running < concurrency) running += 1
      else await turnOf(network, isInTime)
      try {
        return await work()
      } finally {
        handOn()
      }
    },
  }

  async function turnOf(network: string, isInTime: () => boolean): Promise<void> {
    if (waiting >= maxWaiting) makeRoom(lines.get(network)?.length ?? 0)
    await new Promise<void>((resolve, reject) => {
      const line = lines.get(network) ?? []
      line.push({ isInTime, begin: resolve, refuse: reject })
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
      if (next.isInTime()) {
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
