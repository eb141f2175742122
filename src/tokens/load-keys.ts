// Reads the key files, and turns them into what signs and verifies.
import { hkdfSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hs256, type Signer } from './jws.ts'
import { readSigningKeys, type SigningKeys } from './signing-keys.ts'
import { readTrustedIssuers, type TrustedIssuer } from './trusted-issuers.ts'

const MIN_SECRET_BYTES = 32

export interface Keys {
  signing: SigningKeys
  /** Where they were read, and are read again when that changes. */
  signingKeysFile: string
  refresh: Signer
  /** What the browser's CSRF tokens are made from. */
  csrfSecret: Uint8Array
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
  /** What peers know, if anything: the refresh key must be another secret. */
  sharedSecret?: string | undefined
}

/** Resolves to the keys, or to what is wrong with the files, a line each. */
export async function loadKeys(settings: KeySettings): Promise<{ keys: Keys } | { problems: string[] }> {
  const { trustedIssuersFile, sharedSecret } = settings
  const [signing, refresh, trusted] = await Promise.allSettled([
    readFile(settings.signingKeysFile, 'utf8').then(readSigningKeys),
    readFile(settings.refreshKeyFile, 'utf8').then((text) => readRefreshKey(text.trim(), sharedSecret)),
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

function readRefreshKey(
  text: string,
  sharedSecret: string | undefined,
): Pick<Keys, 'refresh' | 'csrfSecret'> {
  if (text === sharedSecret) throw new Error('holds SECRET_KEY, which peers know: make another one')
  const secret = Buffer.from(text)
  if (secret.length < MIN_SECRET_BYTES) throw new Error(`holds less than ${MIN_SECRET_BYTES} bytes`)
  return {
    refresh: hs256(secret),
    csrfSecret: new Uint8Array(hkdfSync('sha256', secret, '', 'signoff csrf', 32)),
  }
}

function reason(setting: string, result: PromiseSettledResult<unknown>): string[] {
  if (result.status === 'fulfilled') return []
  return (result.reason as Error).message.split('\n').map((line) => `${setting}: ${line}`)
}
