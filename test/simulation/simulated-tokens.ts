// The Tokens port without cryptography: a token is a name under which its claims are known.
import { AuthError } from '../../src/auth/errors.ts'
import type { Grant, SignedRefresh, Tokens } from '../../src/auth/ports/tokens.ts'
import type { Clock } from '../../src/clock.ts'
import type { AccessClaims, RefreshClaims } from '../../src/contract/claims.ts'

/** What every instance of a deployment can verify, as they share their keys. */
export interface TokenBook {
  issued: Map<string, AccessClaims | RefreshClaims>
  randomId: () => string
}

export interface SimulatedTokensDeps {
  book: TokenBook
  clock: Clock
  issuer: string
  accessTtlSeconds: number
  refreshTtlSeconds: number
  leewaySeconds: number
}

export function simulatedTokens(deps: SimulatedTokensDeps): Tokens {
  const { book, clock, issuer, accessTtlSeconds, refreshTtlSeconds, leewaySeconds } = deps
  const now = (): number => Math.floor(clock.epochMs() / 1000)

  return {
    signAccess: (grant, notAfter) => {
      const iat = now()
      const exp = Math.min(iat + accessTtlSeconds, notAfter)
      const claims: AccessClaims = {
        ...common(grant, { jti: book.randomId(), iat, exp }),
        token_type: 'access',
        client_id: 'signoff',
        user_id: grant.userId,
      }
      const token = `access ${claims.jti}`
      book.issued.set(token, claims)
      return { token, expiresIn: exp - iat }
    },

    signRefresh: (grant, rotates) => {
      const iat = now()
      const claims = common(grant, { jti: book.randomId(), iat, exp: iat + refreshTtlSeconds })
      return refresh({ ...claims, token_type: 'refresh', ...(rotates && { gen: 0 }) })
    },

    signSuccessor: (grant, { generation, issuedAt, expiresAt }) => {
      const jti = successorJti(grant.sid, generation)
      return refresh({
        ...common(grant, { jti, iat: issuedAt, exp: expiresAt }),
        token_type: 'refresh',
        gen: generation,
      })
    },

    successorJti,

    verify: (token) => {
      const claims = known(token)
      if (claims.iat > now() + leewaySeconds) throw new AuthError('token_invalid')
      if (hasExpired(claims)) throw new AuthError('token_expired')
      return claims
    },

    identify: (token) => {
      const claims = known(token)
      return { claims, hasExpired: hasExpired(claims) }
    },

    isOurs: (token) => book.issued.has(token),
  }

  function known(token: string): AccessClaims | RefreshClaims {
    const claims = book.issued.get(token)
    if (!claims) throw new AuthError('token_invalid')
    return claims
  }

  function hasExpired({ exp }: AccessClaims | RefreshClaims): boolean {
    return exp + leewaySeconds <= now()
  }

  function refresh(claims: RefreshClaims): SignedRefresh {
    const token = `refresh ${claims.jti} ${claims.iat} ${claims.exp}`
    book.issued.set(token, claims)
    return { token, jti: claims.jti, exp: claims.exp }
  }

  function successorJti(sid: string, generation: number): string {
    return `${sid.slice(-8)}-successor-${generation}`
  }

  function common({ sid, userId, scope }: Grant, own: { jti: string; iat: number; exp: number }) {
    return { iss: issuer, aud: 'signoff', sub: userId, sid, scope, ...own }
  }
}
