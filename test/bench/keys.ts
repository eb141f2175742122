// How many tokens that are alive are refused while the signing keys change: by the command, and as it was done by hand.
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { replaceFile } from '../../src/embedded/files/replace-file.ts'
import { generateSigningJwk, jwksText } from '../../src/tokens/signing-keys.ts'
import { eventually, untilReady } from '../support/service/environment.ts'
import { keyConsumers } from '../support/clients/key-consumers.ts'
import { keyTraffic, type KeyTraffic } from '../support/clients/key-traffic.ts'
import { addedPeer } from '../support/clients/peer.ts'
import { runSignoff, startSignoff, type Signoff } from '../support/service/signoff.ts'
import type { Bench } from './bench.ts'

export interface KeysResult {
  how: string
  rotations: number
  seconds: number
  /** By who gave them. */
  answers: Record<string, { all: number; refused: number }>
}

const ISSUER = 'https://signoff.test'
export const KEYS_SETTINGS = { ISSUER, ACCESS_TOKEN_TTL: '10', LEEWAY: '1' }
const ROTATIONS = 10
/** Instances read the file every five seconds, and those that fetch keys keep them for one. */
const PUBLISH_SECONDS = '20'
const KEYS_KEPT_MS = 1000
const BETWEEN_MS = 2500
/** From one instance to the next, in a rolling restart. */
const ROLLING_MS = 6000
const BY_HAND = 3

interface Pair {
  one: Signoff
  other: Signoff
  /** Each instance has one of its own. */
  files: { one: string; other: string }
}

export async function measureKeys(bench: Bench): Promise<KeysResult[]> {
  const { database, redis, signoff: one } = bench.environment
  const files = { one: one.files.signingKeysFile, other: join(one.files.directory, 'copy.json') }
  await copyFile(files.one, files.other)
  const env = { ...KEYS_SETTINGS, SIGNING_KEYS_FILE: files.other, REFRESH_KEY_FILE: one.files.refreshKeyFile }
  const other = await startSignoff({ databaseUrl: database.url, redisUrl: redis.url, env })
  try {
    await untilReady(other)
    const pair = { one, other, files }
    return [
      await measure(bench, pair, { how: 'signoff keys rotate', rotations: ROTATIONS, rotate: byCommand }),
      await measure(bench, pair, { how: 'by hand, a new key first', rotations: BY_HAND, rotate: byHand }),
    ]
  } finally {
    await other.stop()
  }
}

interface Way {
  how: string
  rotations: number
  /** Resolves to the new key's name. */
  rotate: (pair: Pair) => Promise<string>
}

async function measure(bench: Bench, pair: Pair, { how, rotations, rotate }: Way): Promise<KeysResult> {
  const start = performance.now()
  const traffic = await trafficOf(bench, pair)
  try {
    let last = ''
    for (let count = 1; count <= rotations; count += 1) {
      bench.say(`${how}: ${count} of ${rotations}`)
      last = await rotate(pair)
    }
    await eventually(() => traffic.kids.includes(last))
    // Until the last token of the key before is dead.
    await sleep((Number(KEYS_SETTINGS.ACCESS_TOKEN_TTL) + 4) * 1000)
  } finally {
    await traffic.stop()
  }
  const seconds = (performance.now() - start) / 1000
  return { how, rotations, seconds, answers: answersOf(traffic) }
}

async function trafficOf({ environment, population }: Bench, { one, other }: Pair): Promise<KeyTraffic> {
  const [refresh = ''] = await population.beginSessions(1)
  const consumersAt = async (at: Signoff) => {
    const peer = await addedPeer(at, environment.database, `shop-${at.pid}-${Date.now()}`)
    return await keyConsumers({ issuer: ISSUER, at, peer, keysKeptMs: KEYS_KEPT_MS })
  }
  const [atOne, atOther] = [await consumersAt(one), await consumersAt(other)]
  const traffic = keyTraffic(
    [
      { signoff: one, consumers: atOther },
      { signoff: other, consumers: atOne },
    ],
    refresh,
  )
  await eventually(() => traffic.kids.length > 0)
  return {
    ...traffic,
    stop: async () => {
      await traffic.stop()
      await Promise.all([atOne.close(), atOther.close()])
    },
  }
}

async function byCommand({ files }: Pair): Promise<string> {
  const { stdout } = await runSignoff(['keys', 'rotate', '--json', '--publish-seconds', PUBLISH_SECONDS], {
    env: { ...KEYS_SETTINGS, SIGNING_KEYS_FILE: files.one },
  })
  await copyFile(files.one, files.other)
  await sleep(BETWEEN_MS)
  return (JSON.parse(stdout) as { kid: string }).kid
}

async function byHand({ files }: Pair): Promise<string> {
  const before = await readFile(files.one, 'utf8')
  const { keys } = JSON.parse(before) as { keys: object[] }
  const added = await generateSigningJwk()
  // A key with a time goes before those without: by hand there were no times.
  const untimed = keys.map((key) => ({ ...key, signoff_signs_from: undefined })).reverse()
  await replaceFile(files.one, { before, content: jwksText([added, ...untimed]) })
  await sleep(ROLLING_MS)
  await copyFile(files.one, files.other)
  await sleep(ROLLING_MS)
  return added.kid
}

function answersOf({ answers, refusals }: KeyTraffic): KeysResult['answers'] {
  return Object.fromEntries(
    Object.entries(answers).map(([by, statuses]) => {
      const all = Object.values(statuses).reduce((sum, count) => sum + count, 0)
      return [by, { all, refused: refusals.filter((refusal) => refusal.by === by).length }]
    }),
  )
}
