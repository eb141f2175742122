// Lets a peer in by its client credentials.
import { AuthError } from '../errors.ts'
import type { PeerCache } from './peer-cache.ts'
import type { CallerAddress } from '../ports/log.ts'
import type { PeerCredentials } from '../ports/peers.ts'
import type { ThrottleDeps } from '../guessing/throttle.ts'

export interface AuthenticatePeerDeps extends ThrottleDeps {
  peerCache: PeerCache
}

/**
 * Resolves to the id of the peer. Rejects with `credentials_invalid`, alike for an unknown peer and a wrong
 * secret, with `throttled` where an address had too many of these, or with `unavailable`.
 */
export async function authenticatePeer(
  { peerCache, throttle }: AuthenticatePeerDeps,
  { credentials, caller }: { credentials: PeerCredentials; caller: CallerAddress },
): Promise<string> {
  // The secret before the count: who knows it is let in whatever others guess from the same address.
  if (await peerCache.isRight(credentials)) return credentials.clientId

  await throttle.peerFailure(caller.ipAddress)
  throw new AuthError('credentials_invalid')
}
