// Asking again and again while something else is under way.
import { setTimeout as sleep } from 'node:timers/promises'

const PAUSE_MS = 100

/** Asks until `work` is done, and once after that; resolves to all answers. Rejects as either of them does. */
export async function during<T>(work: Promise<unknown>, ask: () => Promise<T>): Promise<T[]> {
  const answers: T[] = []
  const isOver = work.then(() => true)
  // It is waited for below, which may be later.
  isOver.catch(() => undefined)
  do answers.push(await ask())
  while (!(await Promise.race([isOver, sleep(PAUSE_MS, false)])))
  answers.push(await ask())
  return answers
}
