// The PeerSecrets port: 256 random bits, kept as SHA-256, compared in constant time.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { PeerSecrets } from '../auth/ports/peers.ts'

const SECRET_BYTES = 32

/** Nobody's: no text that is found hashes to it. */
const NOBODYS_HASH = randomBytes(32)

/**
 * A slow hash protects what people choose, which can be guessed. Here there is nothing to guess, and a peer
 * proves itself with every question.
 */
const sha256 = (secret: string): Buffer => createHash('sha256').update(secret).digest()

export const peerSecrets: PeerSecrets = {
  create: () => randomBytes(SECRET_BYTES).toString('base64url'),
  hash: sha256,
  isRight: (secret, hash) => {
    const isEqual = timingSafeEqual(sha256(secret), hash ?? NOBODYS_HASH)
    return isEqual && hash !== null
  },
}
