// What a client does that is told to try again.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Signoff } from './signoff.ts'

const PAUSE_MS = 100
const TRIES = 400

/**
 * Asks again for as long as the answer is 503: of many at once that want the same row, those that a slow machine lets
 * wait too long for it are told so.
 */
export async function untilAnswered(ask: () => Promise<Answer>): Promise<Answer> {
  let answer = await ask()
  for (let tries = 1; answer.status === 503 && tries < TRIES; tries++) {
    await sleep(PAUSE_MS)
    answer = await ask()
  }
  return answer
}

/** The same service, asked again by every call for as long as it answers 503; what operators read is answered as it is. */
export function askedAgain(signoff: Signoff): Signoff {
  const call: Signoff['call'] = async (path, options) => {
    const ask = async (): Promise<Answer> => await signoff.call(path, options)
    return path === '/readyz' ? await ask() : await untilAnswered(ask)
  }
  return { ...signoff, call, post: async (path, json) => await call(path, { json }) }
}
