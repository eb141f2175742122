// The seal in the `jti` of access tokens under a shared secret: each holder of the secret can sign, and only we can seal.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

export type Claims = Readonly<Record<string, unknown>>

export interface AccessSeal {
  /** A `jti` that no other token has, and that is good for exactly these claims. */
  jtiFor(claims: Claims): string
  /** Whether we made the `jti` among these claims, for exactly the others among them. In constant time. */
  holds(claims: Claims): boolean
}

const NONCE_BYTES = 16
/** 16 random bytes and a MAC of 32: 64 letters without a spare bit, so that a seal has one spelling. */
const SEALED_ID = /^[\w-]{64}$/

/** HMAC with SHA-256 under `key`, which must serve nothing else. */
export function accessSeal(key: Uint8Array): AccessSeal {
  const macOf = (nonce: Buffer, claims: Claims): Buffer =>
    createHmac('sha256', key).update(nonce).update(canonicalText(claims)).digest()

  return {
    jtiFor(claims) {
      const nonce = randomBytes(NONCE_BYTES)
      return Buffer.concat([nonce, macOf(nonce, claims)]).toString('base64url')
    },

    holds({ jti, ...claims }) {
      if (typeof jti !== 'string' || !SEALED_ID.test(jti)) return false
      const bytes = Buffer.from(jti, 'base64url')
      const mac = bytes.subarray(NONCE_BYTES)
      return timingSafeEqual(mac, macOf(bytes.subarray(0, NONCE_BYTES), claims))
    },
  }
}

/** All claims there are, and not a list of them: one that is added later is sealed without a thought. */
function canonicalText(claims: Claims): string {
  return JSON.stringify(Object.entries(claims).sort(([one], [other]) => (one < other ? -1 : 1)))
}
