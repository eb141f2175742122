// Bugs for the checker to find: changes to the text of the built program.

export interface Planted {
  name: string
  changes: readonly Change[]
}

export interface Change {
  /** Below `dist`. */
  file: string
  /** Occurs exactly once. */
  find: string
  replace: string
}

// Each of them is one that a reader could overlook.
export const PLANTED: readonly Planted[] = [
  {
    // Redis is told and the user thanked, whatever Postgres says.
    name: 'ack-before-journal',
    changes: [
      {
        file: 'auth/sessions/end-session.js',
        find: 'const denials = await journal().catch(async (error) => {',
        replace: `void journal().catch(() => undefined);
    await deps.denylist.deny([{ id, ttlMs: (expiresAt + deps.leewaySeconds - deps.now()) * 1000 }]);
    const denials = await Promise.resolve([]).catch(async (error) => {`,
      },
    ],
  },
  {
    // The relay goes on from where it was, as if rows were seen in the order of their times.
    name: 'no-overlap',
    changes: [
      {
        file: 'store/postgres/journal-reader.js',
        find: 'const OVERLAP_MS = 10_000;',
        replace: 'const OVERLAP_MS = 0;',
      },
      {
        file: 'store/postgres/journal-reader.js',
        find: 'least(now(), (${OLDEST_WRITER}))',
        replace: 'least(now(), now())',
      },
    ],
  },
  {
    // An emptied Redis is said to be in sync, and then brought in sync.
    name: 'watermark-before-entries',
    changes: [
      {
        file: 'store/relay/relay-round.js',
        find: 'await stepping.claim();',
        replace: 'await stepping.claim(); await stepping.finish([]);',
      },
    ],
  },
  {
    name: 'lease-never-expiring',
    changes: [
      {
        file: 'store/redis/watermark-scripts.js',
        find: `redis.call('SET', KEYS[key + 1], watermark, 'PXAT', falls)`,
        replace: `redis.call('SET', KEYS[key + 1], watermark)`,
      },
    ],
  },
  {
    name: 'ttl-without-leeway',
    changes: [
      {
        file: 'store/postgres/postgres-sessions.js',
        find: 'const values = [reason, leewaySeconds, id, userId, expiresAt];',
        replace: 'const values = [reason, 0, id, userId, expiresAt];',
      },
    ],
  },
  {
    // What is not denied is taken to be live, also by a Redis that knows nothing.
    name: 'check-ignores-watermark',
    changes: [
      {
        file: 'store/redis/redis-denylist.js',
        find: `return isLive ? 'live' : 'unknown';`,
        replace: `return 'live';`,
      },
    ],
  },
  {
    name: 'trusts-redis-after-failed-write',
    changes: [
      {
        file: 'store/redis/redis-denylist.js',
        find: 'if (await isWritten(denials, journalName()))',
        replace: 'if ((await isWritten(denials, journalName())) || true)',
      },
    ],
  },
]
