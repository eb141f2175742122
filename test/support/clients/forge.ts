// Tokens that the service would never make, signed with its own keys or with others.
import { createHmac, createPrivateKey, randomUUID, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { KeyMaterial } from '../service/signoff.ts'

export type Claims = Record<string, unknown>

export interface Forge {
  /** A refresh token that would be accepted, but for what `changes` says; `undefined` leaves a claim out. */
  refresh(changes?: Claims, header?: Claims): string
  /** The same for an access token. */
  access(changes?: Claims, header?: Claims): string
}

const ISSUER = 'https://localhost:8443'

export function forge(files: KeyMaterial): Forge {
  const { keys } = JSON.parse(readFileSync(files.signingKeysFile, 'utf8')) as { keys: [{ kid: string }] }
  const [jwk] = keys
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' })
  const secret = readFileSync(files.refreshKeyFile, 'utf8').trim()

  return {
    refresh: (changes = {}, header = {}) => {
      const claims = { ...common(), aud: `${ISSUER}/auth/token/refresh/`, token_type: 'refresh', ...changes }
      return hs256({ alg: 'HS256', typ: 'rt+jwt', ...header }, claims, secret)
    },
    access: (changes = {}, header = {}) => {
      const claims: Claims = {
        ...common(),
        aud: 'signoff',
        token_type: 'access',
        client_id: 'signoff',
        ...changes,
      }
      const input = signingInput(
        { alg: 'ES256', typ: 'at+jwt', kid: jwk.kid, ...header },
        { user_id: claims['sub'], ...claims },
      )
      const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return `${input}.${signature.toString('base64url')}`
    },
  }
}

export function hs256(header: Claims, claims: Claims, secret: string): string {
  const input = signingInput(header, claims)
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

export function signingInput(header: Claims, claims: Claims): string {
  return [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
}

export const epochNow = (): number => Math.floor(Date.now() / 1000)

function common(): Claims {
  const iat = epochNow()
  return {
    iss: ISSUER,
    sub: randomUUID(),
    jti: randomUUID(),
    sid: randomUUID(),
    iat,
    exp: iat + 60,
    scope: 'user',
  }
}
