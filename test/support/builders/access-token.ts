// Access tokens of a service that a test makes up, right or wrong in every part; jose signs them.
import { randomUUID } from 'node:crypto'
import type { AccessClaims } from '../../../src/contract/claims.ts'
import { issuedToken, type Claims, type IssuerKey } from './foreign-issuer.ts'

export interface AccessTokenOptions {
  issuer: string
  /** By which it is issued now; the system's clock by default. */
  now?: number
  /** `undefined` leaves a claim out. */
  changes?: Claims
  header?: Claims
}

export async function accessToken(
  key: IssuerKey,
  { issuer, now = Math.floor(Date.now() / 1000), changes = {}, header = {} }: AccessTokenOptions,
): Promise<{ token: string; claims: AccessClaims }> {
  const sub = randomUUID()
  const claims = {
    iss: issuer,
    aud: 'signoff',
    sub,
    jti: randomUUID(),
    sid: randomUUID(),
    iat: now,
    exp: now + 300,
    scope: 'user',
    token_type: 'access',
    client_id: 'signoff',
    user_id: sub,
    ...changes,
  } as const
  const token = await issuedToken(key, claims, { typ: 'at+jwt', ...header })
  return { token, claims: claims }
}
