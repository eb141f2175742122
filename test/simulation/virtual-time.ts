// Virtual time: what happens next happens at once, and between two events everything that was waiting for the first is done.

export interface VirtualTime {
  /** Milliseconds since the beginning of the simulated world. */
  readonly nowMs: number
  /** How many events have happened. */
  readonly events: number
  /** Calls `run` at that time, after whatever was put there before. */
  at: (ms: number, run: () => void) => Scheduled
  /** Lets the events after this one wait for some rounds of ticks: Node's streams hand things on in these. */
  settle: (rounds: number) => void
  /** Resolves when nothing is left to happen before `untilMs`. Rejects with what an event throws. */
  run: (untilMs: number) => Promise<void>
}

export interface Scheduled {
  isCancelled: boolean
}

interface Entry extends Scheduled {
  ms: number
  number: number
  run: () => void
}

export function virtualTime(): VirtualTime {
  const heap: Entry[] = []
  let nowMs = 0
  let number = 0
  let events = 0
  let roundsLeft = 0

  return {
    get nowMs() {
      return nowMs
    },
    get events() {
      return events
    },
    at: (ms, run) => {
      number += 1
      const entry = { ms: Math.max(ms, nowMs), number, run, isCancelled: false }
      push(heap, entry)
      return entry
    },
    settle: (rounds) => {
      roundsLeft = Math.max(roundsLeft, rounds)
    },
    run: async (untilMs) => {
      await new Promise<void>((resolve, reject) => {
        const turn = (): void => {
          if (roundsLeft > 0) {
            roundsLeft -= 1
            queueMicrotask(afterwards)
            return
          }
          let entry = pop(heap, untilMs)
          while (entry?.isCancelled) entry = pop(heap, untilMs)
          if (!entry) {
            nowMs = Math.max(nowMs, untilMs)
            resolve()
            return
          }
          nowMs = entry.ms
          events += 1
          try {
            entry.run()
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)))
            return
          }
          queueMicrotask(afterwards)
        }
        // A tick comes when no microtask is left, those that other microtasks have brought included.
        const afterwards = (): void => {
          process.nextTick(turn)
        }
        turn()
      })
    },
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.ms < other.ms || (one.ms === other.ms && one.number < other.number)
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length
  heap.push(entry)
  while (index > 0) {
    const above = (index - 1) >> 1
    const parent = heap[above] as Entry
    if (isBefore(parent, entry)) break
    heap[index] = parent
    index = above
  }
  heap[index] = entry
}

/** The first entry, if it is due by then. */
function pop(heap: Entry[], untilMs: number): Entry | undefined {
  const [first] = heap
  if (!first || first.ms > untilMs) return undefined
  const last = heap.pop() as Entry
  if (heap.length === 0) return first
  let index = 0
  for (;;) {
    let below = 2 * index + 1
    if (below >= heap.length) break
    if (below + 1 < heap.length && isBefore(heap[below + 1] as Entry, heap[below] as Entry)) below += 1
    const child = heap[below] as Entry
    if (isBefore(last, child)) break
    heap[index] = child
    index = below
  }
  heap[index] = last
  return first
}
