// Part three: whether the time of a refused login tells why it was refused.
import { PASSWORD } from '../support/service/environment.ts'
import { fromAnywhere } from './address.ts'
import type { Bench } from './bench.ts'
import { median } from './percentiles.ts'
import { INACTIVE_USER } from './population.ts'

export interface TimingResult {
  /** By the reason for the refusal, milliseconds. */
  medianMs: Record<Reason, number>
  /** Of the slowest median to the fastest, as a share of the fastest. */
  largestDifference: number
}

type Reason = keyof typeof ATTEMPTS

const TRIES = 30
const DELETED_USER = 'gone'
const ATTEMPTS = {
  'wrong password': { username: 'user-0', password: 'wrong' },
  'unknown user': { username: 'nobody', password: PASSWORD },
  'inactive user': { username: INACTIVE_USER, password: PASSWORD },
  'deleted user': { username: DELETED_USER, password: PASSWORD },
}

export async function measureTiming({ environment, say }: Bench): Promise<TimingResult> {
  say('refused logins')
  await deleteUser(environment)
  const times: Record<Reason, number[]> = {
    'wrong password': [],
    'unknown user': [],
    'inactive user': [],
    'deleted user': [],
  }
  // The first round warms up. Interleaved, so that whatever else the machine does falls on all alike.
  for (let round = 0; round <= TRIES; round++) {
    for (const [reason, attempt] of Object.entries(ATTEMPTS)) {
      const start = performance.now()
      const { status } = await environment.signoff.call('/auth/login/', {
        json: attempt,
        headers: fromAnywhere(),
      })
      if (round > 0) times[reason as Reason].push(performance.now() - start)
      if (status !== 401) throw new Error(`${reason}: answered ${status}`)
    }
  }

  const medianMs = {
    'wrong password': median(times['wrong password']),
    'unknown user': median(times['unknown user']),
    'inactive user': median(times['inactive user']),
    'deleted user': median(times['deleted user']),
  }
  const medians = Object.values(medianMs)
  return { medianMs, largestDifference: Math.max(...medians) / Math.min(...medians) - 1 }
}

async function deleteUser(environment: Bench['environment']): Promise<void> {
  const { signoff } = environment
  await environment.addUser(DELETED_USER)
  const login = await signoff.post('/api/v1/auth/login', { username: DELETED_USER, password: PASSWORD })
  const { access_token } = login.json as { access_token: string }
  const { status } = await signoff.call('/api/v1/auth/me', {
    method: 'DELETE',
    json: { password: PASSWORD },
    headers: { Authorization: `Bearer ${access_token}` },
  })
  if (status !== 204) throw new Error(`deleting a user answered ${status}`)
}
