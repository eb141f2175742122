// The ForeignTokens port: accepts what other login services issued, under SECRET_KEY or a trusted issuer's keys.
import { createHash } from 'node:crypto'
import { compactVerify, errors, type CryptoKey, type JWK, type KeyObject } from 'jose'
import { z } from 'zod'
import { AuthError } from '../auth/errors.ts'
import type { ForeignTokens } from '../auth/ports/tokens.ts'
import { REFRESH_TYP, type EpochSeconds } from '../contract/claims.ts'
import type { DeniedId } from '../contract/denylist-keys.ts'
import { foreignTokenIdInput } from '../contract/foreign-token-id.ts'
import { issuerKeys, type IssuerKeys, type IssuerKeysDeps } from './issuer-keys.ts'
import { hs256, parseJws, type ParsedJws, type Signer } from './jws.ts'
import type { TrustedIssuer } from './trusted-issuers.ts'

export interface ForeignTokensOptions {
  /** `null` accepts no token of HS256. */
  secretKey: string | null
  issuers: TrustedIssuer[]
  /** Ours: no other service speaks for us. */
  ownIssuer: string
  leewaySeconds: number
  /** For so long a denial is kept at the most. */
  maxAgeSeconds: number
  now: () => EpochSeconds
  /** Hears of each failure to fetch an issuer's keys. */
  onFetchFailure: (url: URL, cause: unknown) => void
  /** Hears of tokens that cannot be ended as they live too long, once a minute at the most. */
  onOutlivesDenial: (token: { issuer: string | null; expiresAt: EpochSeconds | null }) => void
  /** Hears of each key of an issuer that is not used because it can be broken, and why. */
  onWeakKey: IssuerKeysDeps['onWeakKey']
}

/** One trusted issuer, with its keys at hand. */
interface Verifier {
  audience: string
  keys: IssuerKeys
}

const TOLD_AGAIN_AFTER_SECONDS = 60

const claimsSchema = z.object({
  iss: z.string().optional(),
  // JSON has numbers that are read as infinite; other readers take such a token, too.
  exp: z.union([z.number(), z.literal(Infinity)]).optional(),
  // Not looked at, as a clock may be behind; but a number, or the token is malformed.
  nbf: z.number().optional(),
  iat: z.number().optional(),
  jti: z.unknown().optional(),
  token_type: z.unknown().optional(),
})

/** Fetches an issuer's keys when the first token of that issuer comes; `unavailable` carries the cause. */
export function foreignTokens(options: ForeignTokensOptions): ForeignTokens {
  const { secretKey, leewaySeconds, maxAgeSeconds, now } = options
  let toldAt: EpochSeconds = -Infinity
  const secret = secretKey === null ? null : hs256(Buffer.from(secretKey))
  const verifiers = new Map<unknown, Verifier>(
    options.issuers.map(({ issuer, audience, keys }) => [
      issuer,
      { audience, keys: issuerKeys(keys, options) },
    ]),
  )

  return {
    async verify(token) {
      const jws = parseJws(token)
      // `crit` asks for extensions we have none of (RFC 7515 section 4.1.11).
      if (!jws || jws.header['crit'] !== undefined) throw new AuthError('token_invalid')

      // A token that says it is ours is judged as one of ours, and that it is none has been found by now.
      if (jws.payload['iss'] === options.ownIssuer) throw new AuthError('token_invalid')

      // The signature before the claims: a forged token is invalid, never expired.
      const verifier = verifiers.get(jws.payload['iss'])
      // An issuer's own keys speak for it, and nobody else.
      if (!verifier && secret && jws.header['alg'] === secret.alg) verifyShared(jws, secret)
      else await verifyIssued(token, jws, verifier)

      return accept(jws)
    },
  }

  function accept({ header, payload, signingInput }: ParsedJws) {
    const result = claimsSchema.safeParse(payload)
    if (!result.success) throw new AuthError('token_invalid')

    const { iss, jti, exp = Infinity, token_type: type } = result.data
    if (header['typ'] === REFRESH_TYP || type === 'refresh') throw new AuthError('token_wrong_type')
    if (exp + leewaySeconds <= now()) throw new AuthError('token_expired')
    // A logout that does not hold for the whole life of the token would be none.
    if (exp > now() + maxAgeSeconds + leewaySeconds) refuseOutliving(iss ?? null, exp)

    const id = idOf(foreignTokenIdInput({ iss, jti, signingInput }))
    return { id, issuer: iss ?? null, expiresAt: Math.ceil(exp) }
  }

  function refuseOutliving(issuer: string | null, exp: EpochSeconds): never {
    if (now() - toldAt >= TOLD_AGAIN_AFTER_SECONDS) {
      toldAt = now()
      options.onOutlivesDenial({ issuer, expiresAt: Number.isFinite(exp) ? exp : null })
    }
    throw new AuthError('token_outlives_denial')
  }
}

function idOf(input: string): DeniedId {
  return createHash('sha256').update(input).digest('hex')
}

function verifyShared(jws: ParsedJws, secret: Signer): void {
  if (!secret.verify(jws.signingInput, jws.signature)) throw new AuthError('token_invalid')
}

async function verifyIssued(token: string, jws: ParsedJws, verifier: Verifier | undefined): Promise<void> {
  if (!verifier) throw new AuthError('token_invalid')
  try {
    await verifySignature(token, verifier.keys)
  } catch (error) {
    throw refusalOf(error)
  }
  const audiences: unknown[] = [jws.payload['aud']].flat()
  if (!audiences.includes(verifier.audience)) throw new AuthError('token_invalid')
}

async function verifySignature(token: string, { algorithms, keyFor }: IssuerKeys): Promise<void> {
  const options = { algorithms }
  try {
    await compactVerify(token, keyFor, options)
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    // The token names no key, and several fit.
    for await (const key of error) {
      if (await isSignedWith(key)) return
    }
    throw error
  }

  async function isSignedWith(key: CryptoKey | KeyObject | JWK | Uint8Array): Promise<boolean> {
    return await compactVerify(token, key, options).then(
      () => true,
      () => false,
    )
  }
}

/** Either the token is wrong, or the issuer's keys are of no use. */
function refusalOf(error: unknown): AuthError {
  if (error instanceof AuthError) return error
  const isTokensFault = error instanceof errors.JOSEError && !(error instanceof errors.JWKSInvalid)
  return new AuthError(isTokensFault ? 'token_invalid' : 'unavailable', { cause: error })
}
