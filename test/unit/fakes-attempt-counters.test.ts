// The counters in memory, of the tests and of the service, held to the suite that Redis is held to.
import { boundedAttemptCounters } from '../../src/store/redis/bounded-attempt-counters.ts'
import { attemptCountersConformance, type AttemptCountersSubject } from '../conformance/attempt-counters.ts'
import { manualClock, type ManualClock } from '../support/fakes/manual-clock.ts'
import { memoryAttemptCounters } from '../support/fakes/memory-attempt-counters.ts'
import type { AttemptCounters } from '../../src/auth/ports/attempts.ts'

attemptCountersConformance('memoryAttemptCounters', onManualClock(memoryAttemptCounters))
attemptCountersConformance(
  'boundedAttemptCounters',
  onManualClock((clock) => boundedAttemptCounters(clock.nowMs)),
)

function onManualClock(
  create: (clock: ManualClock) => AttemptCounters,
): () => Promise<AttemptCountersSubject> {
  return async () => {
    const clock = manualClock()
    return await Promise.resolve({
      attempts: create(clock),
      elapse: async (seconds: number) => {
        clock.advance(seconds)
        await Promise.resolve()
      },
      close: async () => {
        await Promise.resolve()
      },
    })
  }
}
