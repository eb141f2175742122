// Journals once more what a restored or replaced Postgres has forgotten, and ends its sessions again.
import { partitionOf, type DeniedId } from '../../contract/denylist-keys.ts'
import { unlessDenied } from './postgres-journal.ts'
import type { Postgres, Statement } from './postgres.ts'

/** A denial as an instance was told of it. */
export interface HeardDenial {
  id: DeniedId
  ttlMs: number
}

export interface JournalMender {
  /**
   * Journals those of the denials that the journal lacks, or would be over with too early, and ends the sessions
   * among them. Resolves to the ids that it wrote, once these are durable. An id that can be none of ours is left
   * out: they come from Redis. One statement (1,000 denials) is done as a whole or not at all.
   * Rejects with `unavailable` or `failed`.
   */
  mend(denials: readonly HeardDenial[]): Promise<string[]>
}

const MAX_DENIALS = 1000
/** A hundred years: no time that Postgres cannot write, whatever it was told. */
const MAX_TTL_MS = 100 * 365 * 86_400_000

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const SESSION_ID = new RegExp(`^${UUID}$`)
const TOKEN_ID = new RegExp(`^${UUID}:[\\w-]{1,64}$`)
const FOREIGN_ID = /^[0-9a-f]{64}$/

/**
 * A denial is under way for a while before it is heard, ten minutes at the most: one in the journal that ends this
 * much earlier is the same one.
 */
const HEARSAY = `interval '10 minutes'`

// The sessions come first, and in the order of their ids, as in a logout: so the two never wait for each other.
// Of what the journal has already, nothing is locked or written: this is asked about all that is known, again and again.
const MEND: Statement = {
  name: 'journal.mend',
  text: `
    WITH locked AS (
      SELECT id FROM user_sessions WHERE id = ANY($5::uuid[]) AND ended_at IS NULL ORDER BY id FOR UPDATE
    ), ended AS (
      UPDATE user_sessions SET ended_at = now(), end_reason = 'logout' FROM locked
      WHERE user_sessions.id = locked.id
      RETURNING user_sessions.id
    ), heard AS (
      SELECT id, partition, reason, now() + ttl_ms * interval '1 millisecond' AS expires_at
      FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[]) AS told (id, partition, reason, ttl_ms)
      WHERE (SELECT count(*) FROM ended) >= 0
    ), journal AS (
      INSERT INTO revocations (denied_id, partition, reason, expires_at)
      SELECT id, partition, reason, expires_at FROM heard
      WHERE NOT EXISTS (
        SELECT 1 FROM revocations AS known
        WHERE known.denied_id = heard.id AND known.expires_at > now()
          AND known.expires_at >= heard.expires_at - ${HEARSAY}
      )
      ORDER BY id
      ${unlessDenied(`revocations.expires_at <= now() OR revocations.expires_at < EXCLUDED.expires_at - ${HEARSAY}`)}
      RETURNING denied_id
    )
    SELECT denied_id AS id FROM journal`,
}

export function journalMender(postgres: Postgres): JournalMender {
  return {
    mend: async (denials) => {
      const known = [...longestOfEach(denials)]
      const written: string[] = []
      for (let first = 0; first < known.length; first += MAX_DENIALS) {
        const batch = known.slice(first, first + MAX_DENIALS)
        const rows = await postgres.query<{ id: string }>(MEND, valuesOf(batch))
        written.push(...rows.map(({ id }) => id))
      }
      return written
    },
  }
}

function longestOfEach(denials: readonly HeardDenial[]): Map<DeniedId, number> {
  const longest = new Map<DeniedId, number>()
  for (const { id, ttlMs } of denials) {
    if (!isOurs(id) || !(ttlMs > 0)) continue
    longest.set(id, Math.min(Math.max(ttlMs, longest.get(id) ?? 0), MAX_TTL_MS))
  }
  return longest
}

function isOurs(id: DeniedId): boolean {
  return [SESSION_ID, TOKEN_ID, FOREIGN_ID].some((form) => form.test(id))
}

function valuesOf(batch: [DeniedId, number][]): unknown[] {
  const ids = batch.map(([id]) => id)
  return [
    ids,
    ids.map(partitionOf),
    ids.map((id) => (TOKEN_ID.test(id) ? 'rotated' : 'logout')),
    batch.map(([, ttlMs]) => ttlMs),
    ids.filter((id) => SESSION_ID.test(id)),
  ]
}
