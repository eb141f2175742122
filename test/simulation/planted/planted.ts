// Bugs for the simulation to find: changes of the text of the source.
import type { SourceChange } from '../compiled-copy.ts'

export interface Planted {
  name: string
  changes: readonly SourceChange[]
}

const ROUND = 'src/store/relay/relay-round.ts'
const VIEW = 'src/store/relay/journal-view.ts'
const DENYLIST = 'src/store/redis/redis-denylist.ts'

/** Each of them is one that a reader could overlook. */
export const PLANTED: readonly Planted[] = [
  {
    // Redis is told and the user thanked, whatever Postgres says.
    name: 'ack-before-journal',
    changes: [
      {
        file: 'src/auth/sessions/end-session.ts',
        find: '    throw error\n  })',
        replace: '    return [] as Denial[]\n  })',
      },
    ],
  },
  {
    // The relay goes on from where it was, as if rows were seen in the order of their times.
    name: 'no-overlap',
    changes: [
      {
        file: 'src/store/postgres/journal-reader.ts',
        find: 'export const OVERLAP_MS = 10_000',
        replace: 'export const OVERLAP_MS = 0',
      },
      {
        file: 'test/simulation/postgres/simulated-journal-reader.ts',
        find: 'settledUpTo: Math.min(nowMs, postgres.settledUpTo()),',
        replace: 'settledUpTo: nowMs,',
      },
    ],
  },
  {
    // An emptied Redis is said to be in sync, and then brought in sync.
    name: 'watermark-before-entries',
    changes: [
      {
        file: ROUND,
        find: 'await stepping.claim()',
        replace: 'await stepping.claim()\n  await stepping.finish([])',
      },
    ],
  },
  {
    name: 'lease-never-expiring',
    changes: [
      {
        file: 'test/simulation/redis/redis-scripts.ts',
        find: 'value: watermark, expiresAtMs: whole(falls)',
        replace: 'value: watermark, expiresAtMs: Infinity',
      },
    ],
  },
  {
    name: 'ttl-without-leeway',
    changes: [
      {
        file: 'test/simulation/postgres/simulated-ports.ts',
        find: 'expiresAtMs: session.expiresAtMs + leewaySeconds * 1000',
        replace: 'expiresAtMs: session.expiresAtMs',
      },
    ],
  },
  {
    // What is not denied is taken to be live, also by a Redis that knows nothing.
    name: 'check-ignores-watermark',
    changes: [{ file: DENYLIST, find: `return isLive ? 'live' : 'unknown'`, replace: `return 'live'` }],
  },
  {
    name: 'trusts-redis-after-failed-write',
    changes: [
      {
        file: DENYLIST,
        find: 'if (await isWritten(denials, journalName())) return\n',
        replace: 'if ((await isWritten(denials, journalName())) || true) return\n',
      },
      { file: DENYLIST, find: `if (isHeld(sid) || isHeld(token)) return 'denied'`, replace: '' },
      { file: DENYLIST, find: ' || isHeld(sid)) return', replace: ') return' },
    ],
  },
  {
    // Bug 1: rows that were read once count as written, whether or not the round has reached their partition.
    name: 'skips-known-rows',
    changes: [
      {
        file: ROUND,
        find: 'const state = underway.get(partitionOf(row.id))\n      if (!state ||',
        replace: `const isKnown = knownTo(own).has(row.seq)
      knownTo(own).add(row.seq)
      const state = underway.get(partitionOf(row.id))
      if ((state?.isBelieved && isKnown) || !state ||`,
      },
      {
        file: ROUND,
        find: '/** Drops from `underway` the',
        replace: `const known = new WeakMap<object, Set<string>>()
function knownTo(own: object): Set<string> {
  const rows = known.get(own) ?? new Set<string>()
  known.set(own, rows)
  return rows
}

/** Drops from \`underway\` the`,
      },
    ],
  },
  {
    // Bug 2: a position counts whoever wrote it, and of whichever journal.
    name: 'believes-any-deployment',
    changes: [
      {
        file: VIEW,
        find: 'if (!position || position.journalName !== journalName) return false',
        replace: 'if (!position) return false',
      },
      {
        file: VIEW,
        find: 'if (position.serverEpoch !== reading?.clock.serverEpoch) return false',
        replace: '',
      },
      {
        file: VIEW,
        find: 'return isListedSince(position) && !hasJumped(state)',
        replace: 'return true',
      },
      {
        file: VIEW,
        find: 'watermark.journalName === journalName && isPresent(watermark)',
        replace: 'watermark.journalName !== null && present.size > 0',
      },
    ],
  },
  {
    // Bug 3: an evicting Redis passes the guard.
    name: 'guard-passes-blind',
    changes: [
      {
        file: 'src/store/relay/open-denylist.ts',
        find: 'mayRelay: () => !(isProduction && guard.unfit() !== null)',
        replace: 'mayRelay: () => isProduction || guard.unfit() === null',
      },
    ],
  },
  {
    // Bug 4: the connection to a master that has become a replica goes on.
    name: 'stays-with-a-replica',
    changes: [
      {
        file: 'test/simulation/redis/simulated-connection.ts',
        find: "if (answer.error.message.startsWith('READONLY ')) lose(link)",
        replace: '',
      },
    ],
  },
  {
    // Bug 5, S1: what Postgres has lost stays lost.
    name: 'never-mends-the-journal',
    changes: [
      {
        file: 'src/store/open-denials.ts',
        find: 'if (read) await mending.step(read.serverEpoch, signal).catch(() => undefined)',
        replace: 'await Promise.resolve([read, mending, signal])',
      },
    ],
  },
  {
    // Bug 5, S2: a rotation asks only the row.
    name: 'rotation-asks-only-the-row',
    changes: [
      {
        file: 'src/auth/sessions/refresh-reuse.ts',
        find: "if (answer === 'denied') throw new AuthError('token_denied')",
        replace: '',
      },
    ],
  },
  {
    // While Postgres is away, a follower takes the leader's last step for that of a stranger, and says nothing more.
    name: 'follower-goes-silent',
    changes: [{ file: VIEW, find: 'isPresent(position) || ', replace: '' }],
  },
  {
    // Bug 7: a replica that resumes takes what the feed covers for what it holds.
    name: 'resumes-beyond-its-cover',
    changes: [
      {
        file: 'src/store/feed/denial-feed.ts',
        find: 'Number(covers) < coversSeconds || ',
        replace: '',
      },
    ],
  },
  {
    // Bug 9: an instance does not refuse what it has ended itself, when the clock of Postgres is set back.
    name: 'memory-is-no-witness',
    changes: [
      { file: DENYLIST, find: `if (isHeld(sid) || isHeld(token)) return 'denied'`, replace: '' },
      { file: DENYLIST, find: ' || isHeld(sid)) return', replace: ') return' },
    ],
  },
]
