// Remembers of a source that is asked at each check whether it answers, and what it last failed with.
import type { Freshness } from './denylist.ts'
import { currentMoment, secondsBetween, type Moment } from './two-clocks.ts'
import { rateLimited } from './rate-limited.ts'

export interface AskedSource {
  /**
   * Resolves to what `work` does, or to `null` when that fails (which is reported), takes longer than
   * `timeoutMs`, or when too much is under way already.
   */
  ask: <Answer>(work: () => Promise<Answer>) => Promise<Answer | null>
  freshness: () => Freshness
}

export interface AskedSourceOptions {
  /** Named in errors. */
  name: string
  timeoutMs: number
  onError: (error: Error) => void
}

/** A source that does not answer is not asked by everybody at once: beyond that the answer is `unknown`, at once. */
const MAX_UNDER_WAY = 256

export function askedSource({ name, timeoutMs, onError }: AskedSourceOptions): AskedSource {
  let underWay = 0
  let knownAt: Moment | null = null
  let lastError: Error | null = null
  const report = rateLimited(onError)

  function failed(cause: unknown): void {
    lastError = new Error(`${name} gives no answer`, { cause })
    report(lastError)
  }

  async function counted<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    // Until it is settled, not until its time is over: what hangs still takes up room somewhere.
    underWay += 1
    try {
      return await work()
    } finally {
      underWay -= 1
    }
  }

  return {
    async ask(work) {
      const askedAt = currentMoment()
      try {
        if (underWay >= MAX_UNDER_WAY) throw new Error(`${MAX_UNDER_WAY} questions are under way`)
        const answer = await within(timeoutMs, counted(work))
        knownAt = askedAt
        lastError = null
        return answer
      } catch (error) {
        failed(error)
        return null
      }
    },

    freshness: () => ({
      isKnown: knownAt !== null && lastError === null,
      ageSeconds: knownAt && secondsBetween(knownAt, currentMoment()),
      denials: null,
      lastError,
    }),
  }
}

async function within<Answer>(timeoutMs: number, work: Promise<Answer>): Promise<Answer> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timedOut = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer in ${timeoutMs} ms`))
    }, timeoutMs)
  })
  try {
    return await Promise.race([work, timedOut])
  } finally {
    clearTimeout(timer)
  }
}
