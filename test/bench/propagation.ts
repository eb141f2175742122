// Part five: how soon after its answer a logout at one instance is known at another, and to a peer that reads Redis.
import { denialKey, partitionOf, tokenId, watermarkKey } from '../../src/contract/denylist-keys.ts'
import { claimsOf, untilReady, type TestEnvironment } from '../support/service/environment.ts'
import { startSignoff, type Signoff } from '../support/service/signoff.ts'
import { targetOf, type Bench } from './bench.ts'
import { logoutBodies, refreshBodies } from './bodies.ts'
import { closeConnections, openConnections, type Connection } from './connections.ts'
import { percentile } from './percentiles.ts'

export interface PropagationResult {
  tries: number
  instance: Delays
  peer: Delays
}

/**
 * Milliseconds from the logout's answer, as its caller has it, to the refusal, as whoever asked has that. Each
 * includes the round trip of the question that was refused: one that is refused at once shows nothing else.
 */
export interface Delays {
  p50Ms: number
  p99Ms: number
  maxMs: number
  /** Of the tries, how many were refused at the very first question. */
  atFirst: number
}

interface Delay {
  ms: number
  questions: number
}

const TRIES = 1000
const LONGEST_MS = 10_000

interface Places {
  here: Connection
  there: Connection
  redis: TestEnvironment['redis']['client']
}

export async function measurePropagation({
  environment,
  population,
  say,
}: Bench): Promise<PropagationResult> {
  const tokens = await population.beginSessions(TRIES)
  const other = await secondInstance(environment)
  const connections: Connection[] = []
  try {
    await untilReady(other)
    const [here] = await openConnections(await targetOf(environment, 1))
    const [there] = await openConnections(await targetOf({ ...environment, signoff: other }, 1))
    if (!here || !there) throw new Error('no connection')
    connections.push(here, there)
    say(`${TRIES} logouts at one of two instances`)
    return await measure({ here, there, redis: environment.redis.client }, tokens)
  } finally {
    closeConnections(connections)
    await other.stop()
  }
}

/** On the same stores, with the same keys. */
async function secondInstance({ signoff, database, redis }: TestEnvironment): Promise<Signoff> {
  return await startSignoff({
    databaseUrl: database.url,
    redisUrl: redis.url,
    env: {
      TRUST_PROXY: 'loopback',
      SIGNING_KEYS_FILE: signoff.files.signingKeysFile,
      REFRESH_KEY_FILE: signoff.files.refreshKeyFile,
    },
  })
}

/** One at a time: at rest, nothing waits for anything else. */
async function measure(places: Places, tokens: string[]): Promise<PropagationResult> {
  const instance: Delay[] = []
  const peer: Delay[] = []
  for (const token of tokens) {
    const delays = await logOut(places, token)
    instance.push(delays.instance)
    peer.push(delays.peer)
  }
  return { tries: tokens.length, instance: summary(instance), peer: summary(peer) }
}

async function logOut(
  { here, there, redis }: Places,
  token: string,
): Promise<{ instance: Delay; peer: Delay }> {
  const [logout = ''] = logoutBodies([token])
  const [refresh = ''] = refreshBodies([token])
  const { sid, jti } = claimsOf(token) as { sid: string; jti: string }
  const keys = [watermarkKey(partitionOf(sid)), denialKey(sid), denialKey(tokenId(sid, jti))]
  const before = await there.post('/auth/token/refresh/', refresh)
  if (before !== 200) throw new Error(`a refresh before the logout answered ${before}`)

  const status = await here.post('/auth/logout/', logout)
  const answeredAt = performance.now()
  if (status !== 200) throw new Error(`a logout answered ${status}`)
  const [instance, peer] = await Promise.all([
    untilRefused(answeredAt, async () => (await there.post('/auth/token/refresh/', refresh)) === 401),
    untilRefused(answeredAt, async () => {
      const [, session, single] = await redis.mget(keys)
      return session !== null || single !== null
    }),
  ])
  return { instance, peer }
}

async function untilRefused(since: number, isRefused: () => Promise<boolean>): Promise<Delay> {
  for (let questions = 1; ; questions++) {
    const is = await isRefused()
    const ms = performance.now() - since
    if (is) return { ms, questions }
    if (ms > LONGEST_MS) throw new Error('a session that was logged out is still accepted')
  }
}

function summary(delays: Delay[]): Delays {
  const ms = delays.map((delay) => delay.ms)
  return {
    p50Ms: percentile(ms, 50),
    p99Ms: percentile(ms, 99),
    maxMs: percentile(ms, 100),
    atFirst: delays.filter(({ questions }) => questions === 1).length,
  }
}
