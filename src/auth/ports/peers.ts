// Peers: the services that ask on their own behalf, and the secrets they prove themselves with.

export interface Peer {
  clientId: string
  /** SHA-256. */
  secretHash: Uint8Array
  createdAt: Date
}

/** A peer says this of itself. */
export interface PeerCredentials {
  clientId: string
  clientSecret: string
}

/** The peers that operators have added: few, and so read all at once. Rejects with `unavailable`. */
export interface Peers {
  /** By name. */
  list(): Promise<Peer[]>
  /** `false` when the name is taken. */
  add(peer: Pick<Peer, 'clientId' | 'secretHash'>): Promise<boolean>
  /** `false` when there is no such peer. */
  remove(clientId: string): Promise<boolean>
}

/** Secrets that nobody chose, and so nobody can guess. */
export interface PeerSecrets {
  create(): string
  hash(secret: string): Uint8Array
  /** In constant time; of no peer (`null`) none is right, and that takes as long. */
  isRight(secret: string, hash: Uint8Array | null): boolean
}
