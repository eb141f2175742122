// Reads the key files, and turns them into what signs and verifies.
import { hkdfSync } from 'node:crypto'
import { readTrustedFile } from '../file-trust.ts'
import { accessSeal, type AccessSeal } from './access-seal.ts'
import { hs256, type Signer } from './jws.ts'
import { readSigningKeys, type SigningKeys } from './signing-keys.ts'
import { readTrustedIssuers, type TrustedIssuer } from './trusted-issuers.ts'

const MIN_SECRET_BYTES = 32

export interface Keys {
  signing: SigningKeys
  /** Where they were read, and are read again when that changes. */
  signingKeysFile: string
  refresh: Signer
  /** The key that the browser's CSRF tokens are made from. */
  csrfSecret: Uint8Array
  /** Marks the access tokens that we made, where a shared secret signs them. */
  accessSeal: AccessSeal
  /** Whose access tokens the bearer logout takes besides ours. */
  trustedIssuers: TrustedIssuer[]
}

export interface KeySettings {
  signingKeysFile: string
  refreshKeyFile: string
  /** None: no other issuer is trusted. */
  trustedIssuersFile?: string | undefined
  /** Our own. */
  issuer: string
  /** The secret that peers know, if any: the refresh key must be another one. */
  sharedSecret?: string | undefined
  /** Hears of key files that every user can read. */
  warn?: ((line: string) => void) | undefined
}

/** Resolves to the keys, or to what is wrong with the files or with the rights on them, a line each. */
export async function loadKeys(settings: KeySettings): Promise<{ keys: Keys } | { problems: string[] }> {
  const { trustedIssuersFile, sharedSecret, warn } = settings
  const [signing, refresh, trusted] = await Promise.allSettled([
    read(settings.signingKeysFile, warn).then(readSigningKeys),
    read(settings.refreshKeyFile, warn).then((text) => readRefreshKey(text.trim(), sharedSecret)),
    trustedIssuersFile === undefined ? [] : readTrustedIssuers(trustedIssuersFile, settings.issuer),
  ])
  if (signing.status === 'fulfilled' && refresh.status === 'fulfilled' && trusted.status === 'fulfilled') {
    const { signingKeysFile } = settings
    return {
      keys: { signing: signing.value, signingKeysFile, ...refresh.value, trustedIssuers: trusted.value },
    }
  }
  return {
    problems: [
      ...reason('SIGNING_KEYS_FILE', signing),
      ...reason('REFRESH_KEY_FILE', refresh),
      ...reason('TRUSTED_ISSUERS', trusted),
    ],
  }
}

/** A promise, so that all of them are read whatever is wrong with one. */
async function read(path: string, warn: KeySettings['warn']): Promise<string> {
  return await Promise.resolve(readTrustedFile(path, warn))
}
function readRefreshKey(
  text: string,
  sharedSecret: string | undefined,
): Pick<Keys, 'refresh' | 'csrfSecret' | 'accessSeal'> {
  if (text === sharedSecret) throw new Error('holds SECRET_KEY, which peers know: make another one')
  const secret = Buffer.from(text)
  if (secret.length < MIN_SECRET_BYTES) throw new Error(`holds less than ${MIN_SECRET_BYTES} bytes`)
  return {
    refresh: hs256(secret),
    csrfSecret: derivedKey(secret, 'signoff csrf'),
    accessSeal: accessSeal(derivedKey(secret, 'signoff access seal')),
  }
}

/** HKDF (RFC 5869): the label keeps keys of different uses apart, and gives nothing of the secret away. */
function derivedKey(secret: Buffer, label: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', label, 32))
}

function reason(setting: string, result: PromiseSettledResult<unknown>): string[] {
  if (result.status === 'fulfilled') return []
  return (result.reason as Error).message.split('\n').map((line) => `${setting}: ${line}`)
}
