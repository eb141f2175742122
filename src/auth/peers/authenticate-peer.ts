// Lets a peer in by its client credentials.
import { AuthError } from '../errors.ts'
import type { KnownPeers } from './peer-cache.ts'
import type { Origin } from '../ports/log.ts'
import type { PeerCredentials } from '../ports/peers.ts'
import type { ThrottleDeps } from '../guessing/throttle.ts'

export interface AuthenticatePeerDeps extends ThrottleDeps {
  knownPeers: KnownPeers
}

/**
 * Resolves to the id of the peer. Rejects with `credentials_invalid`, alike for an unknown peer and a wrong
 * secret, with `throttled` where an address had too many of these, or with `unavailable`.
 */
export async function authenticatePeer(
  { knownPeers, throttle }: AuthenticatePeerDeps,
  { credentials, origin }: { credentials: PeerCredentials; origin: Origin },
): Promise<string> {
  // The secret before the count: who knows it is let in whatever others guess from the same address.
  if (await knownPeers.isRight(credentials)) return credentials.clientId

  await throttle.peerFailure(origin.ipAddress)
  throw new AuthError('credentials_invalid')
}
