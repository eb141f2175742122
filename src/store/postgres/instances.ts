// The instances of this service on this database, as far as they were heard of lately.
import type { Postgres, Statement } from './postgres.ts'

export interface Instances {
  /**
   * Says that this one is there; resolves to the ids of all that said so in the last ten seconds, this one
   * included. Rejects with `unavailable` or `failed`.
   */
  present(): Promise<string[]>
  /** Says that this one is gone. Rejects with `unavailable` or `failed`. */
  leave(): Promise<void>
}

export interface Instance {
  /** A UUID that no other process has. */
  id: string
  /** For people: `host:pid`. */
  name: string
}

const PRESENT: Statement = {
  name: 'instances.present',
  text: `
    WITH this AS (
      INSERT INTO instances (id, name, seen_at) VALUES ($1, $2, now())
      ON CONFLICT (id) DO UPDATE SET seen_at = EXCLUDED.seen_at
      RETURNING id
    )
    SELECT id FROM this UNION SELECT id FROM instances WHERE seen_at > now() - interval '10 seconds'`,
}

const LEAVE: Statement = { name: 'instances.leave', text: 'DELETE FROM instances WHERE id = $1' }

export function instances(postgres: Postgres, { id, name }: Instance): Instances {
  return {
    present: async () => (await postgres.query<{ id: string }>(PRESENT, [id, name])).map((row) => row.id),
    leave: async () => {
      await postgres.query(LEAVE, [id])
    },
  }
}
