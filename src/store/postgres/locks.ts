// Locks that expire, a row each: whoever hangs or dies with one keeps it no longer than it said.
import type { Postgres, Statement } from './postgres.ts'

export interface Locks {
  /**
   * Takes the lock when it is free or has expired, renews it when this instance has it. Resolves to whether
   * this instance has it: for `seconds` by Postgres's clock, which begin after this was called. Nothing is
   * written, and nobody is waited for, while another has it. Rejects with `unavailable` or `failed`.
   */
  hold(name: string, seconds: number): Promise<boolean>
  /** Frees the lock when this instance has it. Rejects with `unavailable` or `failed`. */
  release(name: string): Promise<void>
}

// Not session advisory locks: who hangs keeps those for ever, poolers mix them up, not every engine has them.

/**
 * Yields a row to who holds `$1` as `$2` for `$3` seconds. The question comes first, since an insert that
 * meets the row locks it, and that is a write.
 */
export const holdIn = (table: string) => `
  INSERT INTO ${table} (name, holder, expires_at)
  SELECT $1::text, $2::uuid, now() + $3::float8 * interval '1 second'
  WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE name = $1 AND holder <> $2 AND expires_at > now())
  ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, expires_at = EXCLUDED.expires_at
  WHERE ${table}.holder = EXCLUDED.holder OR ${table}.expires_at <= now()
  RETURNING name`

export const releaseIn = (table: string) =>
  `UPDATE ${table} SET holder = NULL, expires_at = now() WHERE name = $1 AND holder = $2`

const HOLD: Statement = { name: 'locks.hold', text: holdIn('locks') }
const RELEASE: Statement = { name: 'locks.release', text: releaseIn('locks') }

/** `instanceId` is a UUID that no other process has. */
export function locks(postgres: Postgres, instanceId: string): Locks {
  return {
    hold: async (name, seconds) => (await postgres.query(HOLD, [name, instanceId, seconds])).length > 0,
    release: async (name) => {
      await postgres.query(RELEASE, [name, instanceId])
    },
  }
}
