// Part six: how soon after its answer a logout is known to a replica, with one reader of the feed and with a thousand.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, fetch } from 'undici'
import { createVerifier, feed, TokenError, type Fetch, type Verifier } from '../../src/peer/index.ts'
import { claimsOf, type TestEnvironment } from '../support/service/environment.ts'
import { addedPeer, type PeerClient } from '../support/clients/peer.ts'
import { targetOf, type Bench } from './bench.ts'
import { logoutBodies } from './bodies.ts'
import { closeConnections, openConnections, type Connection } from './connections.ts'
import { cpuBetween, readCpu } from './cpu.ts'
import type { ReadersOrder } from './feed-readers-process.ts'
import { percentile } from './percentiles.ts'

export interface FeedResult {
  readers: number
  tries: number
  /**
   * Milliseconds from the logout's answer, as its caller has it, to when the replica knows. Below zero where it
   * knew before.
   */
  p50Ms: number
  p99Ms: number
  maxMs: number
  /** Of the tries, how many were refused when asked right after the answer. */
  atFirst: number
  /** Microseconds of the service's CPU for each logout, all readers served. */
  cpuMicroseconds: number
}

const TRIES = 1000
const READERS = [1, 1000]
/** One alone may have no more than 500 readers. */
const PEERS = ['bench', 'bench-2', 'bench-3']
/** Time to come to rest between two of them. */
const PAUSE_MS = 10
const LONGEST_MS = 10_000

export async function measureFeed(bench: Bench): Promise<FeedResult[]> {
  const { environment } = bench
  const peers: PeerClient[] = []
  for (const name of PEERS) peers.push(await addedPeer(environment.signoff, environment.database, name))
  const [peer] = peers
  const [connection] = await openConnections(await targetOf(environment, 1))
  if (!connection || !peer) throw new Error('no connection')
  const verifier = await startVerifier(environment, peer)
  try {
    const results: FeedResult[] = []
    for (const readers of READERS) {
      bench.say(`${TRIES} logouts with ${readers} reading the feed`)
      results.push(
        await withReaders(bench, { peers, readers }, { signoff: environment.signoff, connection, verifier }),
      )
    }
    return results
  } finally {
    closeConnections([connection])
    await verifier.close()
  }
}

async function startVerifier({ signoff }: TestEnvironment, peer: PeerClient): Promise<Verifier> {
  const dispatcher = new Agent({ connect: { ca: await readFile(signoff.files.certFile, 'utf8') } })
  const fetchPinned: Fetch = async (url, init) => {
    const { status, headers, body } = await fetch(url, { ...init, dispatcher })
    return { status, headers, body: body as ReadableStream<Uint8Array> | null }
  }
  const verifier = createVerifier({
    issuer: 'https://localhost:8443',
    audience: 'signoff',
    jwksUrl: `${signoff.url}/.well-known/jwks.json`,
    denylist: feed({ ...peer, url: `${signoff.url}/denylist/feed` }),
    fetch: fetchPinned,
  })
  await verifier.ready()
  return verifier
}

interface Places {
  signoff: TestEnvironment['signoff']
  connection: Connection
  verifier: Verifier
}

/** The verifier is one of the readers; the others are in a process of their own. */
async function withReaders(
  { environment, population }: Bench,
  { peers, readers }: { peers: PeerClient[]; readers: number },
  places: Places,
): Promise<FeedResult> {
  const { origin, certificate } = await targetOf(environment, 1)
  const others = fork(new URL('./feed-readers-process.ts', import.meta.url), { serialization: 'advanced' })
  try {
    const authorizations = peers.map(({ basic }) => basic)
    others.send({ origin, certificate, authorizations, count: readers - 1 } satisfies ReadersOrder)
    const [opened] = (await once(others, 'message')) as [number]
    if (opened !== readers - 1) throw new Error(`only ${opened} readers of ${readers - 1}`)

    const refreshTokens = await population.beginSessions(TRIES)
    const before = await readCpu(environment)
    const delays: Delay[] = []
    for (const token of refreshTokens) delays.push(await logOut(places, token))
    const { server } = cpuBetween(before, await readCpu(environment))
    const ms = delays.map((delay) => delay.ms)
    return {
      readers,
      tries: TRIES,
      p50Ms: percentile(ms, 50),
      p99Ms: percentile(ms, 99),
      maxMs: percentile(ms, 100),
      atFirst: delays.filter(({ isAtFirst }) => isAtFirst).length,
      cpuMicroseconds: server / TRIES,
    }
  } finally {
    others.disconnect()
    await once(others, 'exit')
  }
}

interface Delay {
  ms: number
  isAtFirst: boolean
}

async function logOut({ signoff, connection, verifier }: Places, refreshToken: string): Promise<Delay> {
  const [body = ''] = logoutBodies([refreshToken])
  const refreshed = await signoff.post('/auth/token/refresh/', { refresh: refreshToken })
  const { access } = refreshed.json as { access: string }
  await verifier.verify(access)
  const known = new Promise<number>((resolve) => {
    verifier.onSessionEnd(String(claimsOf(access)['sid']), () => {
      resolve(performance.now())
    })
  })

  const status = await connection.post('/auth/logout/', body)
  const answeredAt = performance.now()
  if (status !== 200) throw new Error(`a logout answered ${status}`)
  const isAtFirst = await isRefused(verifier, access)
  const knownAt = await Promise.race([known, sleep(LONGEST_MS, null, { ref: false })])
  if (knownAt === null) throw new Error('a session that was logged out is still accepted')
  await sleep(PAUSE_MS)
  return { ms: knownAt - answeredAt, isAtFirst }
}

async function isRefused(verifier: Verifier, token: string): Promise<boolean> {
  try {
    await verifier.verify(token)
    return false
  } catch (error) {
    if (error instanceof TokenError && error.code === 'token_denied') return true
    throw error
  }
}
