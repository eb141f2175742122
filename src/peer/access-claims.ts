// Checks what the payload of an access token must say (RFC 9068 section 4, RFC 8725 section 3).
import type { AccessClaims, EpochSeconds } from '../contract/claims.ts'
import { TokenError } from './token-error.ts'

export interface Expected {
  issuer: string
  audience: string
}

const TEXTS = ['iss', 'aud', 'sub', 'jti', 'sid', 'scope', 'client_id', 'user_id'] as const
const TIMES = ['iat', 'exp'] as const

/** Signed by the issuer, and yet not for us: where that goes on, one of the two is set up wrongly. */
export class OtherAddresseeError extends Error {
  override readonly name = 'OtherAddresseeError'
}

/** Checks the part that does not change with time. Throws `token_invalid`; its cause may be an `OtherAddresseeError`. */
export function parseAccessClaims(payload: Record<string, unknown>, expected: Expected): ParsedClaims {
  const { nbf = 0 } = payload
  const isWhole =
    TEXTS.every((name) => typeof payload[name] === 'string') &&
    TIMES.every((name) => Number.isFinite(payload[name])) &&
    Number.isFinite(nbf) &&
    payload['token_type'] === 'access'
  if (!isWhole) throw new TokenError('token_invalid')

  const { iss, aud, sub, jti, sid, iat, exp, scope, client_id, user_id } = payload as unknown as AccessClaims
  checkAddressee({ iss, aud }, expected)
  // Without a session nothing could ever be denied.
  if (sub === '' || jti === '' || sid === '') throw new TokenError('token_invalid')

  const claims = {
    iss,
    aud,
    sub,
    jti,
    sid,
    iat,
    exp,
    scope,
    token_type: 'access',
    client_id,
    user_id,
  } as const
  // They are handed out as often as the token is used: nobody may change them for the next one.
  return { claims: Object.freeze(claims), startsAt: Math.max(iat, nbf as number) }
}

function checkAddressee({ iss, aud }: Pick<AccessClaims, 'iss' | 'aud'>, expected: Expected): void {
  const difference =
    (iss !== expected.issuer && `iss is ${quoted(iss)}, not ${expected.issuer}`) ||
    (aud !== expected.audience && `aud is ${quoted(aud)}, not ${expected.audience}`)
  if (!difference) return
  const cause = new OtherAddresseeError(`the issuer's keys signed a token for others: ${difference}`)
  throw new TokenError('token_invalid', { cause })
}

/** For a log: in one line, and not without end. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}

export interface ParsedClaims {
  claims: AccessClaims
  /** The later of `iat` and `nbf`. */
  startsAt: EpochSeconds
}

/** Checks the part that does. Throws `token_invalid` for a token that is not valid yet, or `token_expired`. */
export function checkTimes(
  { claims, startsAt }: ParsedClaims,
  { now, leewaySeconds }: { now: EpochSeconds; leewaySeconds: number },
): void {
  if (startsAt > now + leewaySeconds) throw new TokenError('token_invalid')
  if (claims.exp + leewaySeconds <= now) throw new TokenError('token_expired')
}
