// The Tokens port: signs our pairs, and accepts nothing but them (RFC 8725, RFC 9068 section 4).
import { v4 as uuidv4 } from 'uuid'
import { z } from 'zod'
import { AuthError } from '../auth/errors.ts'
import type { Grant, Tokens } from '../auth/ports.ts'
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
const refreshClaims = commonClaims.extend({ token_type: z.literal('refresh') })

/** The client that logs in here: the first-party one (RFC 9068 section 2.2 demands a `client_id`). */
const CLIENT_ID = 'signoff'

export function jwtTokens(options: JwtTokensOptions): Tokens {
  const { issuer, audience, now } = options
  const refreshAudience = `${issuer}/auth/token/refresh/`
  const [signing] = options.accessSigners
  const accessHeader = { alg: signing.signer.alg, typ: ACCESS_TYP, ...(signing.kid && { kid: signing.kid }) }
  const refreshHeader = { alg: options.refreshSigner.alg, typ: REFRESH_TYP }

  return {
    signAccess(grant, notAfter) {
      const common = commonClaimsOf(grant)
      const claims: AccessClaims = {
        ...common,
        aud: audience,
        exp: Math.min(common.iat + options.accessTtlSeconds, notAfter),
        token_type: 'access',
        client_id: CLIENT_ID,
        user_id: grant.userId,
      }
      return encodeJws(accessHeader, claims, signing.signer)
    },

    signRefresh(grant) {
      const common = commonClaimsOf(grant)
      const claims: RefreshClaims = {
        ...common,
        aud: refreshAudience,
        exp: common.iat + options.refreshTtlSeconds,
        token_type: 'refresh',
      }
      return {
        token: encodeJws(refreshHeader, claims, options.refreshSigner),
        jti: claims.jti,
        exp: claims.exp,
      }
    },

    verify(token) {
      const jws = parseJws(token)
      if (!jws) throw new AuthError('token_invalid')

      switch (jws.header['typ']) {
        case ACCESS_TYP: {
          const named = options.accessSigners.find(({ kid }) => kid === jws.header['kid'])
          return verifyClaims(verifySignature(jws, named?.signer), accessClaims, audience)
        }
        case REFRESH_TYP:
          return verifyClaims(verifySignature(jws, options.refreshSigner), refreshClaims, refreshAudience)
        default:
          throw new AuthError('token_invalid')
      }
    },
  }

  function commonClaimsOf({ sid, userId, scope }: Grant) {
    return { iss: issuer, sub: userId, jti: uuidv4(), sid, iat: now(), scope }
  }

  function verifyClaims<Claims extends AccessClaims | RefreshClaims>(
    payload: unknown,
    schema: z.ZodType<Claims & { nbf?: number | undefined }>,
    expectedAudience: string,
  ): Claims {
    const result = schema.safeParse(payload)
    if (!result.success) throw new AuthError('token_invalid')

    const claims = result.data
    const latestStart = now() + options.leewaySeconds
    const isOurs = claims.iss === issuer && claims.aud === expectedAudience
    if (!isOurs || claims.iat > latestStart || (claims.nbf ?? 0) > latestStart) {
      throw new AuthError('token_invalid')
    }
    if (claims.exp + options.leewaySeconds <= now()) throw new AuthError('token_expired')
    return claims
  }
}

/** The payload, once its signature holds under the one algorithm that its type may have. */
function verifySignature(jws: ParsedJws, signer: Signer | undefined): unknown {
  const { header } = jws
  // `crit` asks for extensions we have none of (RFC 7515 section 4.1.11).
  const isExpected = signer && header['alg'] === signer.alg && header['crit'] === undefined
  if (!isExpected || !signer.verify(jws.signingInput, jws.signature)) throw new AuthError('token_invalid')
  return jws.payload
}
