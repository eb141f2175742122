// A client of the simulated service: it asks over the network, and waits as long as a client would.
import { AuthError } from '../../src/auth/errors.ts'
import type { Random } from '../fault/random.ts'
import type { SimulatedInstance } from './simulated-instance.ts'
import type { World } from './world.ts'

export type Outcome<T> =
  { kind: 'done'; value: T } | { kind: 'refused'; code: string } | { kind: 'no answer' }

export type Ask = <T>(
  instance: SimulatedInstance,
  what: string,
  work: () => Promise<T>,
) => Promise<Outcome<T>>

const DEADLINE_MS = 9000

export function clientOf({ time, checker, trace }: World, random: Random): Ask {
  return async <T>(
    instance: SimulatedInstance,
    what: string,
    work: () => Promise<T>,
  ): Promise<Outcome<T>> => {
    const startedAt = time.nowMs
    const { host } = instance
    const wasStopped = host.isStopped
    return await new Promise((resolve) => {
      let isOver = false
      const finish = (outcome: Outcome<T>): void => {
        if (isOver) return
        isOver = true
        deadline.isCancelled = true
        trace.note(
          'client',
          `${what} at ${instance.name}: ${wordsOf(outcome)} (asked at ${(startedAt / 1000).toFixed(3)})`,
        )
        resolve(outcome)
      }
      const deadline = time.at(time.nowMs + DEADLINE_MS, () => {
        if (host.isAlive && !host.isStopped && !wasStopped && !host.wasStoppedSince(startedAt))
          checker.violate('e', `${what} at ${instance.name} has no answer after ${DEADLINE_MS / 1000} s`)
        finish({ kind: 'no answer' })
      })
      time.at(time.nowMs + random.between(0.1, 0.8), () => {
        host.deliver(() => {
          work().then(
            (value) => {
              answer({ kind: 'done', value })
            },
            (error: unknown) => {
              if (error instanceof AuthError) answer({ kind: 'refused', code: error.code })
              else {
                checker.violate('f', `${what} at ${instance.name} failed: ${String((error as Error).stack)}`)
                answer({ kind: 'refused', code: 'failed' })
              }
            },
          )
        })
      })
      const answer = (outcome: Outcome<T>): void => {
        time.at(time.nowMs + random.between(0.1, 0.8), () => {
          finish(outcome)
        })
      }
    })
  }
}

function wordsOf(outcome: Outcome<unknown>): string {
  return outcome.kind === 'refused' ? outcome.code : outcome.kind
}
