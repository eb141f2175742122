// Reads, checks and makes the private JWKS that signs access tokens.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import { z } from 'zod'
import type { EpochSeconds } from '../contract/claims.ts'
import { es256 } from './jws.ts'

export interface SigningKey {
  kid: string
  /** From when on it signs; `null` where the file does not say, as in files from before there were times. */
  signsFrom: EpochSeconds | null
  privateKey: KeyObject
  publicKey: KeyObject
}

/** The private member of a key that says from when on it signs, in seconds since 1970. */
export const SIGNS_FROM = 'signoff_signs_from'
/** The end of the year 9999: beyond it there are no dates. */
const MAX_SIGNS_FROM: EpochSeconds = 253_402_300_799

const privateJwk = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
  kid: z.string().min(1).optional(),
  [SIGNS_FROM]: z.int().min(0).max(MAX_SIGNS_FROM).optional(),
})
const privateJwks = z.object({ keys: z.array(privateJwk).min(1) })

export type SigningKeys = [SigningKey, ...SigningKey[]]

/** The text of a private JWKS with one new key. */
export async function generateSigningKeys(): Promise<string> {
  return jwksText([await generateSigningJwk()])
}

/** A new private P-256 key, named by its thumbprint (RFC 7638). */
export async function generateSigningJwk(): Promise<JWK & { kid: string }> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' }
}

export function jwksText(keys: readonly object[]): string {
  return `${JSON.stringify({ keys }, null, 2)}\n`
}

/** The keys in the order of the file. Rejects with an `Error` that says what is wrong. */
export async function readSigningKeys(text: string): Promise<SigningKeys> {
  const parsed = privateJwks.safeParse(parseJson(text))
  if (!parsed.success) {
    const isTime = parsed.error.issues.some(({ path }) => path.at(-1) === SIGNS_FROM)
    throw new Error(
      isTime
        ? `${SIGNS_FROM} is no time: whole seconds since 1970 are expected`
        : 'not a private JWKS: expected {"keys":[…]} with EC P-256 keys that have x, y and d',
    )
  }
  const [first, ...rest] = await Promise.all(parsed.data.keys.map(importSigningKey))
  if (!first) throw new Error('a JWKS without keys')
  const kids = [first, ...rest].map((key) => key.kid)
  if (new Set(kids).size < kids.length) throw new Error('two keys with the same kid')
  return [first, ...rest]
}

/** The keys that are published at `/.well-known/jwks.json` (RFC 7517 section 5): public parts only. */
export function publicJwks(keys: readonly SigningKey[]): { keys: JWK[] } {
  return {
    keys: keys.map(({ kid, publicKey }) => ({
      ...(publicKey.export({ format: 'jwk' }) as JWK),
      kid,
      alg: 'ES256',
      use: 'sig',
    })),
  }
}

async function importSigningKey(jwk: z.infer<typeof privateJwk>): Promise<SigningKey> {
  const { kid, d, [SIGNS_FROM]: signsFrom = null, ...publicPart } = jwk
  const privateKey = createPrivateKey({ key: { ...publicPart, d }, format: 'jwk' })
  // From the public part as written: one derived from the private part would always fit.
  const publicKey = createPublicKey({ key: publicPart, format: 'jwk' })
  const signer = es256({ privateKey, publicKey })
  if (!signer.verify('probe', signer.sign('probe'))) throw new Error('a key whose d does not fit its x and y')
  return { kid: kid ?? (await calculateJwkThumbprint(publicPart)), signsFrom, privateKey, publicKey }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
