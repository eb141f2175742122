// What a check costs a peer that holds a replica: by how many denials it holds, and whether it has seen the token before.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { v7 as uuidv7 } from 'uuid'
import { tokenId } from '../../src/contract/denylist-keys.ts'
import type { FeedDenial } from '../../src/contract/feed.ts'
import { replica, type Replica } from '../../src/peer/feed/replica.ts'
import { createVerifier, type VerifiedToken, type Verifier } from '../../src/peer/index.ts'
import { currentMoment } from '../../src/peer/two-clocks.ts'
import { fakeSignoff, type FakeSignoff } from '../../src/peer/testing/index.ts'
import { median } from './percentiles.ts'

export interface VerifyResult {
  denials: number
  /** The denylist's part of a check. All times are CPU, which a busy neighbour makes less of a difference to. */
  checkNs: number
  /** The whole, of a token that was never seen before. */
  coldUs: number
  /** The whole, of one whose signature is known. */
  warmUs: number
  /** Of the peer's memory; `null` where there are none. */
  bytesPerDenial: number | null
}

const DENIALS = [0, 10_000, 1_000_000]
const TOKENS = 2_000
const ROUNDS = 7
const CHECKS_A_ROUND = 200_000
/** As the feed sends them. */
const BATCH = 512
/** Longer than anything that is measured here takes. */
const OPEN = { now: 0, lease: 3_600, covers: 3_600 }

export async function measureVerify(say: (line: string) => void): Promise<VerifyResult[]> {
  const fake = await fakeSignoff()
  const results: VerifyResult[] = []
  for (const denials of DENIALS) {
    say(`verify with ${denials} denials`)
    results.push(await measureWith(denials, fake))
  }
  return results
}

async function measureWith(denials: number, fake: FakeSignoff): Promise<VerifyResult> {
  const own = replica({
    moment: currentMoment,
    now: fake.options.clock,
    onUnknown: 'deny',
    onError: () => undefined,
  })
  const before = heapBytes()
  fill(own, denials)
  const bytes = heapBytes() - before

  const minted = await Promise.all(Array.from({ length: TOKENS }, async () => await fake.mint()))
  const texts = minted.map(({ token }) => token)
  const verifier = verifierOn(own, fake)
  try {
    await verifier.ready()
    const coldUs = await microseconds(verifier, texts)
    const warm: number[] = []
    for (let round = 0; round < ROUNDS; round++) warm.push(await microseconds(verifier, texts))
    // As they are out of a token: a text that was parsed is not one that was put together.
    const tokens = await Promise.all(texts.map(async (token) => await verifiedToken(verifier, token)))
    const checkNs = median(Array.from({ length: ROUNDS }, () => nanoseconds(own, tokens)))
    return {
      denials,
      checkNs,
      coldUs,
      warmUs: median(warm),
      bytesPerDenial: denials === 0 ? null : bytes / denials,
    }
  } finally {
    await verifier.close()
  }
}

/** Through JSON, so that its strings are those of the feed. */
function fill(own: Replica, count: number): void {
  const until = Math.floor(Date.now() / 1000) + OPEN.covers
  own.open(currentMoment(), OPEN)
  for (let added = 0; added < count; added += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - added) }, () => ({ id: uuidv7(), until }))
    own.add(JSON.parse(JSON.stringify(batch)) as FeedDenial[])
  }
  own.sync({ as_of: OPEN.now })
}

function verifierOn(own: Replica, fake: FakeSignoff): Verifier {
  return createVerifier({
    ...fake.options,
    denylist: () => ({
      ...own,
      freshness: () => ({ isKnown: own.isKnown(), ageSeconds: null, denials: null, lastError: null }),
      close: async () => {
        await Promise.resolve()
      },
    }),
  })
}

async function verifiedToken(verifier: Verifier, token: string): Promise<VerifiedToken> {
  const claims = await verifier.verify(token)
  return { token, claims, tokenId: tokenId(claims.sid, claims.jti) }
}

async function microseconds(verifier: Verifier, tokens: string[]): Promise<number> {
  const before = process.cpuUsage()
  for (const token of tokens) await verifier.verify(token)
  return cpuUsSince(before) / tokens.length
}

function nanoseconds(own: Replica, tokens: VerifiedToken[]): number {
  let live = 0
  const before = process.cpuUsage()
  for (let index = 0; index < CHECKS_A_ROUND; index++) {
    const token = tokens[index % tokens.length]
    if (token && own.check(token) === 'live') live += 1
  }
  const elapsedUs = cpuUsSince(before)
  if (live !== CHECKS_A_ROUND) throw new Error(`${CHECKS_A_ROUND - live} tokens were refused`)
  return (elapsedUs * 1000) / CHECKS_A_ROUND
}

function cpuUsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return user + system
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
