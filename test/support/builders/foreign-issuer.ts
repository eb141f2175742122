// Another login service, as far as its tokens go; jose signs them.
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'

export interface IssuerKey {
  alg: string
  kid: string
  privateKey: CryptoKey
  /** As its JWKS publishes it. */
  jwk: JWK
  pem: string
}

export type Claims = Record<string, unknown>

export const FOREIGN_ISSUER = 'https://login.example.com'
export const FOREIGN_AUDIENCE = 'shop'

export async function issuerKey(kid: string, alg = 'ES256'): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  return { alg, kid, privateKey, jwk, pem: await exportSPKI(publicKey) }
}

/** A token with these claims; `undefined` in `header` leaves a member out. */
export async function issuedToken(
  key: IssuerKey,
  claims: Claims,
  header: Record<string, unknown> = {},
): Promise<string> {
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .sign(key.privateKey)
}

/** The claims of one, issued at `now` for a minute. */
export function issuedClaims(now: number, changes: Claims = {}): Claims {
  return {
    iss: FOREIGN_ISSUER,
    aud: FOREIGN_AUDIENCE,
    sub: 'user-17',
    jti: 'a-token',
    iat: now,
    exp: now + 60,
    ...changes,
  }
}
