// Mends the journal: what this instance knows to be denied, and a Postgres that lost its tail does not, is journaled again.
import type { Clock } from '../../clock.ts'
import type { JournalMender } from '../postgres/journal-mender.ts'
import type { HeldDenials } from './held-denials.ts'

export interface MendJournalDeps {
  clock: Clock
  held: readonly HeldDenials[]
  mender: JournalMender
  /** Hears of the ids that the journal lacked. */
  onMended: (ids: readonly string[]) => void
}

export interface MendJournal {
  /**
   * Looks for some of the denials, or for all of them when another server has answered than the last time. Rejects
   * with `unavailable` or `failed`; then the next step goes on from there. Ends after a batch when `signal` is aborted.
   */
  step(serverEpoch: string, signal?: AbortSignal): Promise<void>
}

const BATCH_SIZE = 1000
/** A denial is heard of when its commit is answered; a little later, every server that has the commit shows it. */
const SETTLED_AFTER_MS = 2000

export function mendJournal({ clock, held, mender, onMended }: MendJournalDeps): MendJournal {
  const places = held.map((denials): Place => ({ denials, next: 0, hurriedTo: 0 }))
  let epoch: string | null = null

  return {
    step: async (serverEpoch, signal) => {
      if (serverEpoch !== epoch) {
        for (const place of places) {
          place.next = place.denials.begin
          place.hurriedTo = place.denials.end
        }
        epoch = serverEpoch
      }
      for (const place of places) {
        do await mendSome(place)
        while (place.next < place.hurriedTo && !signal?.aborted)
      }
    },
  }

  async function mendSome(place: Place): Promise<void> {
    const { begin, end, at } = place.denials
    const isHurried = place.next < place.hurriedTo
    const now = clock.steadyMs()
    const denials = []
    const first = Math.max(place.next, begin)
    let next = first
    for (const last = Math.min(first + BATCH_SIZE, end); next < last; next += 1) {
      const { id, lastsUntilMs, heardAtMs, isAcknowledged } = at(next)
      if (!isHurried && heardAtMs > now - SETTLED_AFTER_MS) break
      if (isAcknowledged && lastsUntilMs > now) denials.push({ id, ttlMs: lastsUntilMs - now })
    }
    if (denials.length > 0) {
      const mended = await mender.mend(denials)
      if (mended.length > 0) onMended(mended)
    }
    place.next = next
    if (next >= place.hurriedTo) place.hurriedTo = 0
    // Round and round: the last ones are heard of too recently, or there is none left. A batch that is over already
    // is behind it all the same: what comes after that would never have its turn.
    if (next === first && place.hurriedTo === 0) place.next = place.denials.begin
  }
}

/** How far one list has been gone through. */
interface Place {
  denials: HeldDenials
  /** The number of the denial that is looked for next. */
  next: number
  /** Everything up to there is looked for at once; 0 where there is no hurry. */
  hurriedTo: number
}
