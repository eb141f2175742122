// The keys of one trusted issuer: as they were given, or fetched from its JWKS URL and kept.
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type CompactVerifyGetKey,
  type CryptoKey,
  type FetchImplementation,
  type JSONWebKeySet,
} from 'jose'
import { AuthError } from '../auth/errors.ts'
import type { EpochSeconds } from '../contract/claims.ts'

/** What an issuer may sign with: never a shared secret, which for us would be its public key. */
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
}

const FETCH_TIMEOUT_MS = 2_000
const MAX_JWKS_BYTES = 64 * 1024
/** From then on a use of the keys fetches them again: one that was withdrawn is refused. */
const MAX_AGE_SECONDS = 600
/** A token that names an unknown key fetches no sooner than this after the last one that did. */
const UNKNOWN_KEY_PAUSE_SECONDS = 60
/** An issuer that failed is left alone for so long. */
const FAILURE_PAUSE_SECONDS = 10

export function issuerKeys(source: IssuerKeySource, deps: IssuerKeysDeps): IssuerKeys {
  if ('publicKey' in source) {
    // Whatever `kid` the token names: there is this one key.
    return { algorithms: [source.algorithm], keyFor: () => source.publicKey }
  }
  const algorithms = [...ISSUER_ALGORITHMS]
  if ('jwks' in source) return { algorithms, keyFor: createLocalJWKSet(source.jwks) }
  return { algorithms, keyFor: remoteKeys(source.jwksUrl, deps) }
}

/**
 * jose fetches (one fetch for all who wait), checks and chooses; when to fetch is decided here, as
 * jose would ask an issuer that is down once for every token, and forget its keys meanwhile.
 */
function remoteKeys(url: URL, { now, onFetchFailure }: IssuerKeysDeps): CompactVerifyGetKey {
  const remote = createRemoteJWKSet(url, {
    timeoutDuration: FETCH_TIMEOUT_MS,
    cacheMaxAge: Infinity,
    cooldownDuration: Infinity,
    [customFetch]: fetchBounded,
  })
  let fetchedAt: EpochSeconds | null = null
  let soughtUnknownAt: EpochSeconds | null = null
  let failure: { at: EpochSeconds; cause: unknown } | null = null

  return async (header, token) => {
    if (!isWithin(fetchedAt, MAX_AGE_SECONDS)) await refresh()
    try {
      return await remote(header, token)
    } catch (error) {
      const mayBeNew = error instanceof errors.JWKSNoMatchingKey
      if (!mayBeNew || isWithin(soughtUnknownAt, UNKNOWN_KEY_PAUSE_SECONDS)) throw error
    }
    await reload()
    soughtUnknownAt = now()
    return await remote(header, token)
  }

  /** Old keys are better than none: they outlive an issuer that is down. */
  async function refresh(): Promise<void> {
    try {
      await reload()
    } catch (error) {
      if (fetchedAt === null) throw error
    }
  }

  async function reload(): Promise<void> {
    if (failure && isWithin(failure.at, FAILURE_PAUSE_SECONDS)) {
      throw new AuthError('unavailable', { cause: failure.cause })
    }
    try {
      await remote.reload()
      fetchedAt = now()
    } catch (cause) {
      // Of those who waited for the same fetch, the first tells.
      if (!failure || !isWithin(failure.at, FAILURE_PAUSE_SECONDS)) onFetchFailure(url, cause)
      failure = { at: now(), cause }
      throw new AuthError('unavailable', { cause })
    }
  }

  /** A clock that was set back ends every pause: it must not make one of an hour. */
  function isWithin(since: EpochSeconds | null, seconds: number): boolean {
    if (since === null) return false
    const elapsed = now() - since
    return elapsed >= 0 && elapsed < seconds
  }
}

const fetchBounded: FetchImplementation = async (url, options) => {
  const response = await fetch(url, options)
  if (response.status !== 200) {
    await response.body?.cancel()
    return response
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > MAX_JWKS_BYTES) throw new Error(`a JSON Web Key Set of more than ${MAX_JWKS_BYTES} bytes`)
    chunks.push(chunk)
  }
  return new Response(Buffer.concat(chunks))
}
