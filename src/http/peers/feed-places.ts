// The places of readers at the feed: so many altogether, and so many for each peer.

export interface FeedPlaces {
  /** Whether there is one more for this peer. */
  isFree: (clientId: string) => boolean
  take: (clientId: string) => void
  giveBack: (clientId: string) => void
}

export interface FeedPlacesOptions {
  places?: number
  placesOfPeer?: number
}

const PLACES = 5000
/**
 * A tenth: a peer whose processes open connection after connection, or whose secret is known to others, leaves the
 * rest to the other peers. A fleet that is larger reads under several names, or at several instances.
 */
const PLACES_OF_PEER = 500

export function feedPlaces({
  places = PLACES,
  placesOfPeer = PLACES_OF_PEER,
}: FeedPlacesOptions = {}): FeedPlaces {
  const takenBy = new Map<string, number>()
  let taken = 0

  return {
    isFree: (clientId) => taken < places && takenOf(clientId) < placesOfPeer,

    take: (clientId) => {
      taken += 1
      takenBy.set(clientId, takenOf(clientId) + 1)
    },

    giveBack: (clientId) => {
      taken -= 1
      const left = takenOf(clientId) - 1
      if (left > 0) takenBy.set(clientId, left)
      else takenBy.delete(clientId)
    },
  }

  function takenOf(clientId: string): number {
    return takenBy.get(clientId) ?? 0
  }
}
