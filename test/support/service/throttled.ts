// Guessing until the service says to wait, and making that wait last: how fast a machine guesses is not what is tested.
import type { Answer } from './signoff.ts'
import type { TestRedis } from '../servers/redis.ts'

/** Far beyond what any test takes. */
const HELD_MS = 600_000
/** Waits double: nobody is so slow that so many of them end between two guesses. */
const MOST_GUESSES = 30

/** Guesses until one is answered 429, which every later one is from then on; resolves to all answers. */
export async function guessUntilThrottled(redis: TestRedis, guess: () => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = []
  while (answers.at(-1)?.status !== 429) {
    if (answers.length === MOST_GUESSES) throw new Error(`${MOST_GUESSES} guesses, and none was throttled`)
    answers.push(await guess())
    // After each one: the wait that the next one meets is held already, or over.
    await holdAttempts(redis, 'wait')
  }
  return answers
}

/** What is counted at this moment in the windows of that name stays counted for as long as a test may take. */
export async function holdAttempts(redis: TestRedis, window: string): Promise<void> {
  const keys = await redis.client.keys(`attempts:${window}:*`)
  await Promise.all(keys.map(async (key) => await redis.client.pexpire(key, HELD_MS)))
}
