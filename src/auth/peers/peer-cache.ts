// The peers as this process remembers them, so that they go on working while their store is away.
import type { Peer, PeerCredentials, Peers, PeerSecrets } from '../ports/peers.ts'

export interface PeerCache {
  /**
   * Whether that peer has that secret. A yes is at most ten seconds old, and older only while the store is
   * away; a no is at most one second old. Rejects with `unavailable` where no such no can be had.
   */
  isRight(credentials: PeerCredentials): Promise<boolean>
}

export interface PeerCacheOptions {
  peers: Pick<Peers, 'list'>
  peerSecrets: PeerSecrets
  /** Monotonic; may begin anywhere. */
  nowMs: () => number
}

/** A peer that was removed is let in no longer than this. */
const YES_MS = 10_000
/** And a new one waits no longer than this, however many guesses there are: each second has one reading. */
const NO_MS = 1000
/** After a failure, nobody who is remembered waits for the store. */
const OUTAGE_MS = 5000

/** One for each process. All peers are read at once: their number is the operator's, that of the guesses is not. */
export function createPeerCache({ peers, peerSecrets, nowMs }: PeerCacheOptions): PeerCache {
  let known = new Map<string, Peer>()
  let readAtMs = -Infinity
  let failure: { atMs: number; error: unknown } | null = null
  let reading: Promise<void> | null = null

  return {
    isRight: async (credentials) => {
      if (ageMs() >= YES_MS) {
        const isOut = failure !== null && nowMs() - failure.atMs < OUTAGE_MS
        const refreshed = refresh()
        if (!isOut) await refreshed
      }
      if (matches(credentials)) return true

      if (ageMs() >= NO_MS) await refresh()
      if (matches(credentials)) return true
      if (failure) throw failure.error
      return false
    },
  }

  /** Never rejects: what went wrong is in `failure`. */
  async function refresh(): Promise<void> {
    const isPaused = failure !== null && nowMs() - failure.atMs < NO_MS
    if (isPaused) return
    reading ??= read().finally(() => {
      reading = null
    })
    await reading
  }

  async function read(): Promise<void> {
    const startedAtMs = nowMs()
    try {
      known = new Map((await peers.list()).map((peer) => [peer.clientId, peer]))
      readAtMs = startedAtMs
      failure = null
    } catch (error) {
      failure = { atMs: nowMs(), error }
    }
  }

  function ageMs(): number {
    return nowMs() - readAtMs
  }

  function matches({ clientId, clientSecret }: PeerCredentials): boolean {
    return peerSecrets.isRight(clientSecret, known.get(clientId)?.secretHash ?? null)
  }
}
