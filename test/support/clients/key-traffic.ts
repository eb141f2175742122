// Clients of two instances while keys change: tokens of each, used at the other one from their first second to their last.
import { decodeProtectedHeader } from 'jose'
import type { KeyConsumers } from './key-consumers.ts'
import { claimsOf } from '../service/environment.ts'
import type { Signoff } from '../service/signoff.ts'

export interface KeyTraffic {
  /** Answers by who gave them and their status. */
  answers: Record<string, Record<number, number>>
  /** Refusals of tokens that were alive when the answer came. */
  refusals: Refusal[]
  /** The keys that have signed, in their order. */
  kids: string[]
  stop(): Promise<void>
}

export interface Refusal {
  by: string
  kid: string
  ageSeconds: number
}

export interface Side {
  signoff: Signoff
  /** These ask the other instance. */
  consumers: KeyConsumers
}

interface Held {
  token: string
  kid: string
  iat: number
  exp: number
}

const PAUSE_MS = 150

export function keyTraffic(sides: readonly Side[], refresh: string): KeyTraffic {
  const traffic: KeyTraffic = { answers: {}, refusals: [], kids: [], stop }
  let isStopped = false
  const running = sides.map(async (side) => {
    const held: Held[] = []
    while (!isStopped) {
      await use(side, held)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  })
  return traffic

  async function stop(): Promise<void> {
    isStopped = true
    await Promise.all(running)
  }

  /** The newest token, the oldest one that is alive, and one in between. */
  async function use({ signoff, consumers }: Side, held: Held[]): Promise<void> {
    const answer = await signoff.post('/auth/token/refresh/', { refresh })
    count('refresh', answer.status)
    if (answer.status === 200) held.push(heldOf((answer.json as { access: string }).access))
    if (answer.status === 401) traffic.refusals.push({ by: 'refresh', kid: '', ageSeconds: 0 })
    while (held[0] && held[0].exp <= Date.now() / 1000) held.shift()
    const some = [held.at(-1), held[0], held[Math.floor(held.length / 2)]]
    for (const each of new Set(some.filter((token) => token !== undefined))) {
      await Promise.all(
        Object.entries(consumers.checks).map(async ([by, check]) => {
          count(by, await statusOf(each, check, by))
        }),
      )
    }
  }

  async function statusOf(
    { token, kid, iat, exp }: Held,
    check: (token: string) => Promise<number>,
    by: string,
  ) {
    const status = await check(token)
    const now = Date.now() / 1000
    // A slow machine may have brought the question too late.
    if (status === 401 && now < exp) traffic.refusals.push({ by, kid, ageSeconds: now - iat })
    return status === 401 && now >= exp ? 0 : status
  }

  function count(by: string, status: number): void {
    const own = (traffic.answers[by] ??= {})
    if (status > 0) own[status] = (own[status] ?? 0) + 1
  }

  function heldOf(token: string): Held {
    const kid = decodeProtectedHeader(token).kid ?? ''
    if (!traffic.kids.includes(kid)) traffic.kids.push(kid)
    const { iat, exp } = claimsOf(token) as { iat: number; exp: number }
    return { token, kid, iat, exp }
  }
}
