// A denylist whose denials the replicas of this instance hear of at once.
import type { Denylist } from '../../auth/ports/denials.ts'
import type { FilledFeed } from './denial-feed.ts'

export function publishingDenylist(denylist: Denylist, feed: Pick<FilledFeed, 'hear'>): Denylist {
  return {
    ...denylist,
    deny: async (denials) => {
      feed.hear(denials)
      await denylist.deny(denials)
    },
    tell: async (denials) => {
      feed.hear(denials, { isAcknowledged: false })
      await denylist.tell(denials)
    },
  }
}
