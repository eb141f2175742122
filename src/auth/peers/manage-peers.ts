// An operator manages peers: adds and removes them.
import type { PeerCredentials, Peers, PeerSecrets } from '../ports/peers.ts'

export interface PeersDeps {
  peers: Peers
  peerSecrets: PeerSecrets
}

/** Nothing that would have to be escaped in a header, a URL, a log line or a shell. */
const CLIENT_ID = /^[a-z0-9][a-z0-9._-]{0,62}$/
/** Every instance keeps all of them in memory. */
const MAX_PEERS = 10_000

/** Resolves to what the peer needs, the secret for the only time. Rejects, saying why, or with `unavailable`. */
export async function addPeer({ peers, peerSecrets }: PeersDeps, clientId: string): Promise<PeerCredentials> {
  if (!CLIENT_ID.test(clientId)) {
    throw new Error(
      'the name of a peer has 1 to 63 lowercase letters, digits, dots, hyphens and underscores, and begins with a letter or a digit',
    )
  }
  if ((await peers.list()).length >= MAX_PEERS) throw new Error(`there are ${MAX_PEERS} peers already`)

  const clientSecret = peerSecrets.create()
  const added = await peers.add({ clientId, secretHash: peerSecrets.hash(clientSecret) })
  if (!added) throw new Error(`there is a peer ${clientId} already: remove it first to give it a new secret`)
  return { clientId, clientSecret }
}

/** Rejects, saying so, when there is no such peer; or with `unavailable`. */
export async function removePeer({ peers }: Pick<PeersDeps, 'peers'>, clientId: string): Promise<void> {
  if (!(await peers.remove(clientId))) throw new Error(`there is no peer ${clientId}`)
}
