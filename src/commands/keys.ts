// signoff keys generate|list: the files that sign tokens.
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConfigError, type Config } from '../config.ts'
import { readTrustedFile } from '../file-trust.ts'
import { generateSigningKeys, readSigningKeys } from '../tokens/signing-keys.ts'
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

/** The `list` command: the signing keys by id, the one that signs first. */
export async function keysList(config: Config, output: Output): Promise<void> {
  const { signingKeysFile } = keyFilesOf(config)
  const keys = await readSigningKeys(readTrustedFile(signingKeysFile))
  const kids = keys.map(({ kid }) => kid)
  print(
    output,
    kids.map((kid, index) => `${kid}  ${index === 0 ? 'signs and verifies' : 'verifies'}`),
    { kids },
  )
}

function keyFilesOf({ SIGNING_KEYS_FILE, REFRESH_KEY_FILE }: Config): KeyFiles {
  if (SIGNING_KEYS_FILE && REFRESH_KEY_FILE) {
    return { signingKeysFile: SIGNING_KEYS_FILE, refreshKeyFile: REFRESH_KEY_FILE }
  }
  throw new ConfigError([
    'SIGNING_KEYS_FILE and REFRESH_KEY_FILE: are needed; they name the files to write or read',
  ])
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
