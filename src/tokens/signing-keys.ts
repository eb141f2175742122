// Reads, checks and makes the private JWKS that signs access tokens.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import { z } from 'zod'
import { es256 } from './jws.ts'

export interface SigningKey {
  kid: string
  privateKey: KeyObject
  publicKey: KeyObject
}

const privateJwk = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
  kid: z.string().min(1).optional(),
})
const privateJwks = z.object({ keys: z.array(privateJwk).min(1) })

/** The text of a private JWKS with one new P-256 key, named by its thumbprint (RFC 7638). */
export async function generateSigningKeys(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  return `${JSON.stringify({ keys: [{ ...jwk, kid, alg: 'ES256', use: 'sig' }] }, null, 2)}\n`
}

/** The keys in their order: the first one signs, all of them verify. Rejects with an `Error` that says what is wrong. */
export async function readSigningKeys(text: string): Promise<[SigningKey, ...SigningKey[]]> {
  const parsed = privateJwks.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new Error('not a private JWKS: expected {"keys":[…]} with EC P-256 keys that have x, y and d')
  }
  const [first, ...rest] = await Promise.all(parsed.data.keys.map(importSigningKey))
  if (!first) throw new Error('a JWKS without keys')
  const kids = [first, ...rest].map((key) => key.kid)
  if (new Set(kids).size < kids.length) throw new Error('two keys with the same kid')
  return [first, ...rest]
}

/** What is published at `/.well-known/jwks.json` (RFC 7517 section 5): public parts only. */
export function publicJwks(keys: SigningKey[]): { keys: JWK[] } {
  return {
    keys: keys.map(({ kid, publicKey }) => ({
      ...(publicKey.export({ format: 'jwk' }) as JWK),
      kid,
      alg: 'ES256',
      use: 'sig',
    })),
  }
}

async function importSigningKey({ kid, d, ...publicPart }: z.infer<typeof privateJwk>): Promise<SigningKey> {
  const privateKey = createPrivateKey({ key: { ...publicPart, d }, format: 'jwk' })
  // From the public part as written: one derived from the private part would always fit.
  const publicKey = createPublicKey({ key: publicPart, format: 'jwk' })
  const signer = es256({ privateKey, publicKey })
  if (!signer.verify('probe', signer.sign('probe'))) throw new Error('a key whose d does not fit its x and y')
  return { kid: kid ?? (await calculateJwkThumbprint(publicPart)), privateKey, publicKey }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
