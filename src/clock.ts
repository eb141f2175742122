// The clock: what time it is, by the two clocks of a machine, and what happens later.

/** Handed in wherever time matters, so that tests and the simulation can run it. */
export interface Clock {
  /** Milliseconds since 1970. Somebody may set it; it goes on while the machine sleeps. */
  epochMs(): number
  /** Milliseconds that only grow, from anywhere. Nobody sets it; it may stand still while the machine sleeps. */
  steadyMs(): number
  /** Calls `callback` once, after `ms`. Returns what cancels it. It does not keep the process alive. */
  after(ms: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  epochMs: () => Date.now(),
  steadyMs: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms)
    // Timers are objects with `unref` in Node, and numbers elsewhere.
    const { unref } = Object(timer) as { unref?: () => void }
    unref?.call(timer)
    return () => {
      clearTimeout(timer)
    }
  },
}

/** Resolves after `ms`, or as soon as `signal` is aborted; to whether the time has passed. */
export async function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return false
  return await new Promise<boolean>((resolve) => {
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', wake)
      resolve(true)
    })
    const wake = (): void => {
      cancel()
      resolve(false)
    }
    signal?.addEventListener('abort', wake, { once: true })
  })
}

/** Resolves as `work` does, or to `late` when that takes longer than `ms`. Rejects as `work` does, until then. */
export async function within<T, Late>(
  clock: Clock,
  { ms, late }: { ms: number; late: Late },
  work: Promise<T>,
): Promise<T | Late> {
  let cancel: () => void = () => undefined
  const deadline = new Promise<Late>((resolve) => {
    cancel = clock.after(ms, () => {
      resolve(late)
    })
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    cancel()
  }
}

/** Calls `work` every `ms`, until what it returns is called. */
export function every(clock: Clock, ms: number, work: () => void): () => void {
  let cancel = clock.after(ms, tick)
  let isStopped = false
  return () => {
    isStopped = true
    cancel()
  }

  function tick(): void {
    work()
    // The work may be what stops it.
    if (!isStopped) cancel = clock.after(ms, tick)
  }
}
