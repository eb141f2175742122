// Work that is done again and again, behind the scenes.

/** Returns what ends it. It does not keep the process alive: whoever has nothing else to do may leave. */
export function repeat(everyMs: number, work: () => void): () => void {
  const timer = unheld(setInterval(work, everyMs))
  return () => {
    clearInterval(timer)
  }
}

/** Resolves after `delayMs`, or at once when `signal` is aborted. Does not keep the process alive either. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const timer = unheld(setTimeout(done, delayMs))
    signal.addEventListener('abort', done)

    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}

/** Timers are objects with `unref` in Node, numbers elsewhere. */
function unheld<Timer>(timer: Timer): Timer {
  const { unref } = Object(timer) as { unref?: () => void }
  unref?.call(timer)
  return timer
}

const RETRY_MS = 250

/** Resolves as soon as `ask` resolves to something, or when `signal` is aborted. */
export async function untilAnswered(ask: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  const isOver = () => signal.aborted
  while (!isOver() && !(await ask())) await pause(RETRY_MS, signal)
}
