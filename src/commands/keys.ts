// signoff keys generate|list: the files that sign tokens.
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Config } from '../config.ts'
import { ConfigError } from '../settings/config-error.ts'
import { readIfPresent } from '../embedded/files/read-if-present.ts'
import { readTrustedFile } from '../file-trust.ts'
import { holdSecondsOf, keySchedule, type ScheduledKey } from '../tokens/key-schedule.ts'
import { generateSigningKeys, readSigningKeys, type SigningKey } from '../tokens/signing-keys.ts'
import { print, type Output } from './output.ts'

export interface KeyFiles {
  signingKeysFile: string
  refreshKeyFile: string
}

/** Writes the files that do not exist yet, for the owner's eyes only; resolves to their paths. Never overwrites. */
export async function generateKeys({ signingKeysFile, refreshKeyFile }: KeyFiles): Promise<string[]> {
  const written = [
    await writeNew(signingKeysFile, await generateSigningKeys()),
    await writeNew(refreshKeyFile, `${randomBytes(48).toString('base64url')}\n`),
  ]
  return written.filter((path) => path !== null)
}

/** Where `signoff start` keeps the keys that it makes. */
export function keyFilesIn(dataDir: string): KeyFiles {
  return {
    signingKeysFile: join(dataDir, 'keys', 'signing-keys.json'),
    refreshKeyFile: join(dataDir, 'keys', 'refresh-key'),
  }
}

/** The `generate` command: at the paths of SIGNING_KEYS_FILE and REFRESH_KEY_FILE. */
export async function keysGenerate(config: Config, output: Output): Promise<void> {
  const { signingKeysFile, refreshKeyFile } = keyFilesOf(config)
  const written = await generateKeys({ signingKeysFile, refreshKeyFile })
  const kept = [signingKeysFile, refreshKeyFile].filter((path) => !written.includes(path))
  const lines = [
    ...written.map((path) => `wrote ${path}`),
    ...kept.map((path) => `kept ${path}, which exists`),
  ]
  print(output, lines, { written, kept })
}

/** The `list` command: the signing keys by id, and what becomes of each by the clock of this machine. */
export async function keysList(config: Config, output: Output): Promise<void> {
  const keys = await readSigningKeys(readTrustedFile(await signingKeysFileOf(config)))
  const schedule = keySchedule(keys, {
    now: Math.floor(Date.now() / 1000),
    holdSeconds: holdSecondsOf({ accessTtlSeconds: config.ACCESS_TOKEN_TTL, leewaySeconds: config.LEEWAY }),
  })
  const documents = schedule.map(({ key, state, publishedUntil }) => ({
    kid: key.kid,
    state,
    signs_from: timeText(key.signsFrom),
    published_until: timeText(publishedUntil),
  }))
  print(output, schedule.map(lineOf), { kids: keys.map(({ kid }) => kid), keys: documents })
}

/** SIGNING_KEYS_FILE, else that of the `signoff start` on DATA_DIR, where there is one. Rejects with `ConfigError`. */
export async function signingKeysFileOf({ SIGNING_KEYS_FILE, DATA_DIR }: Config): Promise<string> {
  if (SIGNING_KEYS_FILE) return SIGNING_KEYS_FILE
  const { signingKeysFile } = keyFilesIn(DATA_DIR)
  if ((await readIfPresent(signingKeysFile)) !== null) return signingKeysFile
  throw new ConfigError([
    `SIGNING_KEYS_FILE: is needed, or a DATA_DIR in which "npm start" has made keys (${DATA_DIR} has none)`,
  ])
}

export function timeText(epochSeconds: number | null): string | null {
  return epochSeconds === null ? null : new Date(epochSeconds * 1000).toISOString()
}

function lineOf({ key: { kid, signsFrom }, state, publishedUntil }: ScheduledKey<SigningKey>): string {
  switch (state) {
    case 'next':
      return `${kid}  next: is published, and signs from ${String(timeText(signsFrom))}`
    case 'signs':
      return `${kid}  signs and verifies`
    case 'verifies':
      return publishedUntil === null
        ? `${kid}  verifies`
        : `${kid}  retired: verifies until ${String(timeText(publishedUntil))}`
    case 'retired':
      return `${kid}  retired: is published no more, and leaves the file with a later rotation`
  }
}

function keyFilesOf({ SIGNING_KEYS_FILE, REFRESH_KEY_FILE }: Config): KeyFiles {
  if (SIGNING_KEYS_FILE && REFRESH_KEY_FILE) {
    return { signingKeysFile: SIGNING_KEYS_FILE, refreshKeyFile: REFRESH_KEY_FILE }
  }
  throw new ConfigError(['SIGNING_KEYS_FILE and REFRESH_KEY_FILE: are needed; they name the files to write'])
}

async function writeNew(path: string, text: string): Promise<string | null> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(path, text, { flag: 'wx', mode: 0o600 })
    return path
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return null
    throw error
  }
}
