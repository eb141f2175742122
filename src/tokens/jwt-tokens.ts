// The Tokens port: signs our pairs, and accepts nothing but them (RFC 8725, RFC 9068 section 4).
import { stringify, v4 as uuidv4 } from 'uuid'
import { z } from 'zod'
import { AuthError } from '../auth/errors.ts'
import type { Grant, SignedRefresh, Tokens } from '../auth/ports/tokens.ts'
import {
  ACCESS_TYP,
  REFRESH_TYP,
  type AccessClaims,
  type EpochSeconds,
  type RefreshClaims,
} from '../contract/claims.ts'
import { encodeJws, parseJws, type ParsedJws, type Signer } from './jws.ts'

export interface JwtTokensOptions {
  /** The first one signs, all of them verify; `kid` is absent for a shared secret. */
  accessSigners: [NamedSigner, ...NamedSigner[]]
  refreshSigner: Signer
  issuer: string
  audience: string
  accessTtlSeconds: number
  refreshTtlSeconds: number
  leewaySeconds: number
  now: () => EpochSeconds
}

export interface NamedSigner {
  kid?: string
  signer: Signer
}

const seconds = z.number()
const commonClaims = z.object({
  iss: z.string(),
  aud: z.string(),
  sub: z.uuid(),
  jti: z.uuid(),
  sid: z.uuid(),
  iat: seconds,
  exp: seconds,
  nbf: seconds.optional(),
  scope: z.string(),
})
const accessClaims = commonClaims.extend({
  token_type: z.literal('access'),
  client_id: z.string(),
  user_id: z.string(),
})
const refreshClaims = commonClaims.extend({
  token_type: z.literal('refresh'),
  gen: z.int().nonnegative().optional(),
  persistent: z.literal(true).optional(),
  claims: z.record(z.string(), z.unknown()).optional(),
})

/** The client that logs in here: the first-party one (RFC 9068 section 2.2 demands a `client_id`). */
const CLIENT_ID = 'signoff'

export function jwtTokens(options: JwtTokensOptions): Tokens {
  const { issuer, audience, leewaySeconds, now } = options
  const refreshAudience = refreshAudienceOf(issuer)
  const [signing] = options.accessSigners
  const accessHeader = { alg: signing.signer.alg, typ: ACCESS_TYP, ...(signing.kid && { kid: signing.kid }) }
  const refreshHeader = { alg: options.refreshSigner.alg, typ: REFRESH_TYP }

  return {
    signAccess(grant, notAfter) {
      const iat = now()
      const exp = Math.min(iat + options.accessTtlSeconds, notAfter)
      const claims: AccessClaims = {
        // First, so that no name of ours is ever theirs.
        ...grant.claims,
        ...commonClaimsOf(grant, { jti: uuidv4(), iat, exp }),
        aud: audience,
        token_type: 'access',
        client_id: CLIENT_ID,
        user_id: grant.userId,
      }
      return { token: encodeJws(accessHeader, claims, signing.signer), expiresIn: exp - iat }
    },

    signRefresh(grant, rotates) {
      const iat = now()
      const claims = commonClaimsOf(grant, { jti: uuidv4(), iat, exp: iat + options.refreshTtlSeconds })
      // Without a generation, nothing is read at a refresh that would know them.
      const own = rotates ? { gen: 0 } : ownClaimsOf(grant)
      return signRefresh({ ...claims, ...own, ...persistenceOf(grant) })
    },

    signSuccessor(grant, { generation, issuedAt, expiresAt }) {
      const jti = successorJti(grant.sid, generation)
      return signRefresh({
        ...commonClaimsOf(grant, { jti, iat: issuedAt, exp: expiresAt }),
        gen: generation,
        ...persistenceOf(grant),
      })
    },

    successorJti,

    verify(token) {
      const claims = signedClaims(options, token)
      const latestStart = now() + leewaySeconds
      if (Math.max(claims.iat, claims.nbf ?? 0) > latestStart) throw new AuthError('token_invalid')
      if (hasExpired(claims)) throw new AuthError('token_expired')
      return claims
    },

    identify(token) {
      const claims = signedClaims(options, token)
      return { claims, hasExpired: hasExpired(claims) }
    },

    isOurs(token) {
      const jws = parseJws(token)
      const types: unknown[] = [ACCESS_TYP, REFRESH_TYP]
      return jws !== null && types.includes(jws.header['typ']) && jws.payload['iss'] === issuer
    },
  }

  function commonClaimsOf({ sid, userId, scope }: Grant, own: Pick<RefreshClaims, 'jti' | 'iat' | 'exp'>) {
    return { iss: issuer, sub: userId, sid, scope, ...own }
  }

  function hasExpired({ exp }: SignedClaims): boolean {
    return exp + leewaySeconds <= now()
  }

  function signRefresh(own: Omit<RefreshClaims, 'aud' | 'token_type'>): SignedRefresh {
    const claims: RefreshClaims = { ...own, aud: refreshAudience, token_type: 'refresh' }
    const token = encodeJws(refreshHeader, claims, options.refreshSigner)
    return { token, jti: claims.jti, exp: claims.exp }
  }

  /** Not to be guessed, and the same each time: a UUIDv8 (RFC 9562 section 5.8) of the key's making. */
  function successorJti(sid: string, generation: number): string {
    // Without a dot, this is no signing input of any token.
    const bytes = options.refreshSigner.sign(`jti:${sid}:${generation}`)
    return uuidv8(bytes)
  }
}

/** Left out where it does not hold, so that the token of a session that is not kept stays as it is. */
function persistenceOf({ persistent }: Grant): Pick<RefreshClaims, 'persistent'> {
  return persistent === true ? { persistent } : {}
}

/** Left out where there are none. */
function ownClaimsOf({ claims = {} }: Grant): Pick<RefreshClaims, 'claims'> {
  return Object.keys(claims).length > 0 ? { claims } : {}
}

function refreshAudienceOf(issuer: string): string {
  return `${issuer}/auth/token/refresh/`
}

type SignedClaims = (AccessClaims | RefreshClaims) & { nbf?: number | undefined }

/** Of one of ours, whatever its times. Throws `token_invalid`. */
function signedClaims(options: JwtTokensOptions, token: string): SignedClaims {
  const { accessSigners, refreshSigner, issuer, audience } = options
  const jws = parseJws(token)
  switch (jws?.header['typ']) {
    case ACCESS_TYP: {
      const named = accessSigners.find(({ kid }) => kid === jws.header['kid'])
      const payload = verifySignature(jws, named?.signer)
      return claimsOf(payload, { schema: accessClaims, issuer, audience })
    }
    case REFRESH_TYP: {
      const payload = verifySignature(jws, refreshSigner)
      return claimsOf(payload, { schema: refreshClaims, issuer, audience: refreshAudienceOf(issuer) })
    }
    default:
      throw new AuthError('token_invalid')
  }
}

interface Expected {
  schema: z.ZodType<SignedClaims>
  issuer: string
  audience: string
}

function claimsOf(payload: unknown, { schema, issuer, audience }: Expected): SignedClaims {
  const result = schema.safeParse(payload)
  const isOurs = result.data?.iss === issuer && result.data.aud === audience
  if (!result.success || !isOurs) throw new AuthError('token_invalid')
  return result.data
}

function uuidv8(bytes: Buffer): string {
  const own = Uint8Array.from(bytes.subarray(0, 16))
  own[6] = ((own[6] ?? 0) & 0x0f) | 0x80
  own[8] = ((own[8] ?? 0) & 0x3f) | 0x80
  return stringify(own)
}

/** The payload, once its signature holds under the one algorithm that its type may have. */
function verifySignature(jws: ParsedJws, signer: Signer | undefined): unknown {
  const { header } = jws
  // `crit` asks for extensions we have none of (RFC 7515 section 4.1.11).
  const isExpected = signer && header['alg'] === signer.alg && header['crit'] === undefined
  if (!isExpected || !signer.verify(jws.signingInput, jws.signature)) throw new AuthError('token_invalid')
  return jws.payload
}
