// Own claims: what an operator has access tokens say of a user besides what Signoff says; which names are taken, and how much fits.
import type { OwnClaims } from '../../contract/claims.ts'

/** Every request of the user carries them along. */
const MAX_BYTES = 1024

/**
 * The names of claims that our tokens have, and of those that peers read as something of the token itself (RFC 7519, 7800, 8693, 8705,
 * 9068, 9449, OpenID Connect Core and Back-Channel Logout, and what other issuers put there).
 */
const RESERVED = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'typ', 'alg', 'kid', 'cty', 'crit'],
  ...[
    'sid',
    'gen',
    'scope',
    'scp',
    'client_id',
    'user_id',
    'token_type',
    'token_use',
    'persistent',
    'claims',
  ],
  ...['role', 'roles', 'groups', 'entitlements', 'username', 'active', 'authorization_details'],
  ...['azp', 'acr', 'amr', 'auth_time', 'nonce', 'at_hash', 'c_hash', 's_hash', 'sub_jwk'],
  ...['cnf', 'act', 'may_act', 'events', 'toe', 'txn', 'sub_id', 'jwk', 'jku', 'x5c', 'x5t', 'x5u'],
  ...['__proto__', 'constructor', 'prototype'],
])

/** Of an operator's text. Throws an `Error` that says what is wrong. */
export function parseOwnClaims(text: string): OwnClaims {
  const claims = parseObject(text)
  const reserved = Object.keys(claims).filter((name) => RESERVED.has(name.toLowerCase()))
  if (reserved.length > 0) throw new Error(`these claims have a meaning already: ${reserved.join(', ')}`)

  const serialised = JSON.stringify(claims)
  const bytes = Buffer.byteLength(serialised)
  if (bytes > MAX_BYTES) throw new Error(`the claims have ${bytes} bytes: at most ${MAX_BYTES} fit`)
  // Well-formed JSON escapes lone surrogates, and the database holds neither them nor NUL.
  if (/\\u(?:0000|d[89a-f])/i.test(serialised.replaceAll('\\\\', ''))) {
    throw new Error('the claims are not well-formed Unicode without NUL')
  }
  return claims
}

function parseObject(text: string): OwnClaims {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Error('the claims are not JSON', { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('the claims are no JSON object, such as {"department":"sales"}')
  }
  return value as OwnClaims
}
