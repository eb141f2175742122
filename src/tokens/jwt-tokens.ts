// The Tokens port: signs our pairs, and accepts nothing but them (RFC 8725, RFC 9068 section 4).
import { stringify, v4 as uuidv4 } from 'uuid'
import { AuthError } from '../auth/errors.ts'
import type { Grant, SignedRefresh, Tokens } from '../auth/ports/tokens.ts'
import {
  ACCESS_TYP,
  REFRESH_TYP,
  type AccessClaims,
  type EpochSeconds,
  type RefreshClaims,
} from '../contract/claims.ts'
import type { AccessSeal } from './access-seal.ts'
import { encodeJws, parseJws, type ParsedJws, type Signer } from './jws.ts'
import { verifiedTokens, type VerifiedTokens } from './verified-tokens.ts'
import {
  accessClaims,
  CLIENT_ID,
  parseClaims,
  refreshClaims,
  sealedAccessClaims,
  type SignedClaims,
} from './token-claims.ts'

export interface JwtTokensOptions {
  accessSigners: AccessSigners
  refreshSigner: Signer
  /** Tells our access tokens from those that others sign with a shared secret. */
  accessSeal: AccessSeal
  issuer: string
  audience: string
  accessTtlSeconds: number
  refreshTtlSeconds: number
  leewaySeconds: number
  now: () => EpochSeconds
}

export interface NamedSigner {
  /** Absent for a shared secret. */
  kid?: string
  signer: Signer
}

/** Asked anew for every token: keys come, sign, and go. */
export interface AccessSigners {
  signing: () => NamedSigner
  /** The one of that name, as long as a token of it may be alive. */
  find: (kid: unknown) => NamedSigner | undefined
  /** Also afterwards: a token that is long dead still tells which session it was of. */
  findRetiredToo: (kid: unknown) => NamedSigner | undefined
}
export function jwtTokens(options: JwtTokensOptions): Tokens {
  const { issuer, audience, leewaySeconds, now } = options
  const refreshAudience = refreshAudienceOf(issuer)
  const { accessSigners } = options
  const verified = verifiedTokens()
  const refreshHeader = { alg: options.refreshSigner.alg, typ: REFRESH_TYP }

  return {
    signAccess(grant, notAfter) {
      const iat = now()
      const exp = Math.min(iat + options.accessTtlSeconds, notAfter)
      const claims = {
        // First, so that no name of ours is ever theirs.
        ...grant.claims,
        ...commonClaimsOf(grant, { iat, exp }),
        aud: audience,
        token_type: 'access',
        client_id: CLIENT_ID,
        user_id: grant.userId,
      } satisfies Omit<AccessClaims, 'jti'>
      const { kid, signer } = accessSigners.signing()
      const jti = isShared(signer) ? options.accessSeal.jtiFor(claims) : uuidv4()
      const header = { alg: signer.alg, typ: ACCESS_TYP, ...(kid && { kid }) }
      return { token: encodeJws(header, { ...claims, jti }, signer), expiresIn: exp - iat }
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
      const claims = signedClaimsOf(token, accessSigners.find)
      const latestStart = now() + leewaySeconds
      if (Math.max(claims.iat, claims.nbf ?? 0) > latestStart) throw new AuthError('token_invalid')
      if (hasExpired(claims)) throw new AuthError('token_expired')
      return claims
    },

    identify(token) {
      const claims = signedClaimsOf(token, accessSigners.findRetiredToo)
      return { claims, hasExpired: hasExpired(claims) }
    },

    isOurs(token) {
      const jws = parseJws(token)
      const types: unknown[] = [ACCESS_TYP, REFRESH_TYP]
      return jws !== null && types.includes(jws.header['typ']) && jws.payload['iss'] === issuer
    },
  }

  function commonClaimsOf<Own extends Times>({ sid, userId, scope }: Grant, own: Own) {
    return { iss: issuer, sub: userId, sid, scope, ...own }
  }

  function signedClaimsOf(token: string, find: AccessSigners['find']): SignedClaims {
    return verified.claimsOf(token, find) ?? signedClaims({ ...options, verified }, token, find)
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

type Times = Pick<RefreshClaims, 'iat' | 'exp'>

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

/** Of one of ours, whatever its times. Throws `token_invalid`. */
function signedClaims(
  { refreshSigner, accessSeal, issuer, audience, verified }: JwtTokensOptions & { verified: VerifiedTokens },
  token: string,
  find: AccessSigners['find'],
): SignedClaims {
  const jws = parseJws(token)
  switch (jws?.header['typ']) {
    case ACCESS_TYP: {
      const { kid } = jws.header
      const signer = find(kid)?.signer
      const payload = verifySignature(jws, signer)
      if (!isShared(signer)) {
        const claims = parseClaims(payload, { schema: accessClaims, issuer, audience })
        verified.remember(token, { kid, signer, claims })
        return claims
      }
      // Each peer has that key: its signature says only that somebody signed it.
      if (!accessSeal.holds(payload)) throw new AuthError('token_invalid')
      return parseClaims(payload, { schema: sealedAccessClaims, issuer, audience })
    }
    case REFRESH_TYP: {
      const payload = verifySignature(jws, refreshSigner)
      return parseClaims(payload, { schema: refreshClaims, issuer, audience: refreshAudienceOf(issuer) })
    }
    default:
      throw new AuthError('token_invalid')
  }
}

/** Whether others hold the key too, and can sign whatever they like. */
function isShared(signer: Signer | undefined): boolean {
  return signer?.alg === 'HS256'
}

function uuidv8(bytes: Buffer): string {
  const own = Uint8Array.from(bytes.subarray(0, 16))
  own[6] = ((own[6] ?? 0) & 0x0f) | 0x80
  own[8] = ((own[8] ?? 0) & 0x3f) | 0x80
  return stringify(own)
}

/** The payload, once its signature holds under the one algorithm that its type may have. */
function verifySignature(jws: ParsedJws, signer: Signer | undefined): ParsedJws['payload'] {
  const { header } = jws
  // `crit` asks for extensions we have none of (RFC 7515 section 4.1.11).
  const isExpected = signer && header['alg'] === signer.alg && header['crit'] === undefined
  if (!isExpected || !signer.verify(jws.signingInput, jws.signature)) throw new AuthError('token_invalid')
  return jws.payload
}
