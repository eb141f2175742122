// The life of a signing key, told from the file alone: published, then signing, then kept until its last token is dead.
import type { EpochSeconds } from '../contract/claims.ts'

/** `next` is published and does not sign yet; `verifies` has signed; `retired` is published no more. */
export type KeyState = 'next' | 'signs' | 'verifies' | 'retired'

export interface ScheduledKey<Key> {
  key: Key
  state: KeyState
  /** When it is published no longer; `null` while it has no successor with a time. */
  publishedUntil: EpochSeconds | null
}

export interface ScheduleTime {
  now: EpochSeconds
  /** How long after its successor began to sign a token of a key may still be accepted by somebody. */
  holdSeconds: number
}

interface Timed {
  signsFrom: EpochSeconds | null
}

/**
 * For how long a key is published after its successor began to sign. Its last token is signed by an instance whose
 * clock is behind by the leeway, is accepted by a peer whose clock is behind as well, for a leeway after its end, and
 * the instance that publishes may be ahead.
 */
export function holdSecondsOf(times: { accessTtlSeconds: number; leewaySeconds: number }): number {
  return times.accessTtlSeconds + 3 * times.leewaySeconds
}

/**
 * Decides what becomes of each key, in the order of the file; one of them signs. That is the one whose time came last. Keys
 * without a time come before all others, and of these the first signs, the rest verify: so it is in a file where no
 * key has a time. Every instance with the same file and a right clock comes to the same answer.
 */
export function keySchedule<Key extends Timed>(
  keys: readonly Key[],
  { now, holdSeconds }: ScheduleTime,
): ScheduledKey<Key>[] {
  const timeline = timelineOf(keys)
  const signer = signerOf(timeline, now)
  const place = timeline.indexOf(signer)
  return keys.map((key) => {
    const successor = timeline.slice(timeline.indexOf(key) + 1).find(({ signsFrom }) => signsFrom !== null)
    const endedAt = successor?.signsFrom ?? null
    const publishedUntil = endedAt === null ? null : endedAt + holdSeconds
    if (key === signer) return { key, state: 'signs', publishedUntil }
    if (timeline.indexOf(key) > place) return { key, state: 'next', publishedUntil }
    const isRetired = publishedUntil !== null && publishedUntil <= now
    return { key, state: isRetired ? 'retired' : 'verifies', publishedUntil }
  })
}

/** In the order in which they sign: those that verify alone come first, then the one that signs without a time. */
function timelineOf<Key extends Timed>(keys: readonly Key[]): Key[] {
  const untimed = keys.filter(({ signsFrom }) => signsFrom === null)
  const timed = keys.filter(({ signsFrom }) => signsFrom !== null)
  return [...untimed.reverse(), ...timed.sort((a, b) => Number(a.signsFrom) - Number(b.signsFrom))]
}

/** Where no time has come and every key has one, the first to come signs: somebody has to. */
function signerOf<Key extends Timed>(timeline: readonly Key[], now: EpochSeconds): Key {
  const signer = timeline.findLast(({ signsFrom }) => (signsFrom ?? -Infinity) <= now) ?? timeline[0]
  if (!signer) throw new Error('no keys')
  return signer
}
