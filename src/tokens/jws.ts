// Compact JWS over node:crypto, synchronously: two algorithms, no options (RFC 7515 section 3.1).
//
// jose's WebCrypto calls would queue on the thread pool; under load a refresh would wait behind
// whatever else is there. These calls take microseconds, on the spot.
import {
  createHmac,
  sign as cryptoSign,
  timingSafeEqual,
  verify as cryptoVerify,
  type KeyObject,
} from 'node:crypto'

/** One algorithm with its key: `verify` is true only for exactly what `sign` would have been asked for. */
export interface Signer {
  alg: 'ES256' | 'HS256'
  sign(input: string): Buffer
  verify(input: string, signature: Buffer): boolean
}

/** HMAC with SHA-256 (RFC 7518 section 3.2), compared in constant time. */
export function hs256(secret: Buffer): Signer {
  const sign = (input: string) => createHmac('sha256', secret).update(input).digest()
  return {
    alg: 'HS256',
    sign,
    verify: (input, signature) => signature.length === 32 && timingSafeEqual(signature, sign(input)),
  }
}

/** ECDSA on P-256 with SHA-256, signature as R || S (RFC 7518 section 3.4). */
export function es256(key: { privateKey: KeyObject; publicKey: KeyObject }): Signer {
  const dsaEncoding = 'ieee-p1363'
  return {
    alg: 'ES256',
    sign: (input) => cryptoSign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding }),
    verify: (input, signature) =>
      cryptoVerify('sha256', Buffer.from(input), { key: key.publicKey, dsaEncoding }, signature),
  }
}

/** The three parts, of which nothing has been believed yet. */
export interface ParsedJws {
  header: Record<string, unknown>
  payload: Record<string, unknown>
  signingInput: string
  signature: Buffer
}

export function encodeJws(header: object, payload: object, signer: Signer): string {
  const signingInput = `${encodeJson(header)}.${encodeJson(payload)}`
  return `${signingInput}.${signer.sign(signingInput).toString('base64url')}`
}

/** `null` for whatever is not three parts of canonical base64url around two JSON objects. */
export function parseJws(token: string): ParsedJws | null {
  const parts = token.split('.', 4)
  const [encodedHeader, encodedPayload, encodedSignature] = parts
  if (parts.length !== 3 || !encodedHeader || !encodedPayload || !encodedSignature) return null

  const header = decodeJson(encodedHeader)
  const payload = decodeJson(encodedPayload)
  const signature = decodeBytes(encodedSignature)
  if (!header || !payload || !signature) return null

  return { header, payload, signingInput: `${encodedHeader}.${encodedPayload}`, signature }
}

function encodeJson(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decodeBytes(encoded: string): Buffer | null {
  const bytes = Buffer.from(encoded, 'base64url')
  // Node decodes leniently; a token has one spelling, or it could be denied under one and used under another.
  return bytes.toString('base64url') === encoded ? bytes : null
}

function decodeJson(encoded: string): Record<string, unknown> | null {
  const bytes = decodeBytes(encoded)
  if (!bytes) return null
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}
