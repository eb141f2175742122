// The keys of one trusted issuer: as they were given, or fetched from its JWKS URL and kept.
import { createHash } from 'node:crypto'
import { createLocalJWKSet, type CompactVerifyGetKey, type CryptoKey, type JSONWebKeySet } from 'jose'
import QuickLRU from 'quick-lru'
import { AuthError } from '../auth/errors.ts'
import { KeysUnavailableError, remoteKeys, type LeftOut, type PublishedKey } from '../remote/remote-keys.ts'
import type { EpochSeconds } from '../contract/claims.ts'
import { problemOfRsaKey } from './rsa-weakness.ts'

/** An issuer may sign with these: never with a shared secret, which for us would be its public key. */
export const ISSUER_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
  'Ed25519',
] as const

export type IssuerAlgorithm = (typeof ISSUER_ALGORITHMS)[number]

/** Where the keys come from. */
export type IssuerKeySource =
  { jwksUrl: URL } | { jwks: JSONWebKeySet } | { publicKey: CryptoKey; algorithm: IssuerAlgorithm }

export interface IssuerKeys {
  algorithms: IssuerAlgorithm[]
  /** Rejects with jose's errors for a token that no key fits, with `unavailable` when the keys cannot be had. */
  keyFor: CompactVerifyGetKey
}

export interface IssuerKeysDeps {
  now: () => EpochSeconds
  /** Hears of each failure to fetch keys; there is one in ten seconds at the most. */
  onFetchFailure: (url: URL, cause: unknown) => void
  /** Hears of each published key that is not used, and why. */
  onWeakKey: (url: URL, key: LeftOut) => void
}

/** From then on a use of the keys fetches them again: one that was withdrawn is refused. */
const MAX_AGE_SECONDS = 600
/** An issuer that failed is left alone for so long. */
const FAILURE_PAUSE_SECONDS = 10
/** Of one issuer; as many as fit into one answer. At most twice as many are remembered. */
const REMEMBERED_KEYS = 200

export function issuerKeys(source: IssuerKeySource, deps: IssuerKeysDeps): IssuerKeys {
  if ('publicKey' in source) {
    // Whatever `kid` the token names: there is this one key.
    return { algorithms: [source.algorithm], keyFor: () => source.publicKey }
  }
  const algorithms = [...ISSUER_ALGORITHMS]
  if ('jwks' in source) return { algorithms, keyFor: createLocalJWKSet(source.jwks) }
  return { algorithms, keyFor: keysOf(source.jwksUrl, deps) }
}

function keysOf(url: URL, { now, onFetchFailure, onWeakKey }: IssuerKeysDeps): CompactVerifyGetKey {
  const keys = remoteKeys(url, {
    now,
    fetch,
    failurePauseSeconds: FAILURE_PAUSE_SECONDS,
    onFetchFailure,
    problemOf: rememberedProblems(),
    onLeftOut: onWeakKey,
  })
  return async (header, token) => {
    try {
      if (!keys.isYoungerThan(MAX_AGE_SECONDS)) await keys.refresh()
      return await keys.keyFor(header, token)
    } catch (error) {
      if (!(error instanceof KeysUnavailableError)) throw error
      throw new AuthError('unavailable', { cause: error.cause })
    }
  }
}

/** A look at a key takes milliseconds: once is enough, however often it is fetched. */
function rememberedProblems(): (key: PublishedKey) => string | null {
  const seen = new QuickLRU<string, { problem: string | null }>({ maxSize: REMEMBERED_KEYS })
  return ({ kty, n, e }) => {
    if (kty !== 'RSA') return null
    const id = createHash('sha256')
      .update(JSON.stringify([n, e]))
      .digest('hex')
    const { problem } = seen.get(id) ?? { problem: problemOfRsaKey({ n, e }) }
    seen.set(id, { problem })
    return problem
  }
}
