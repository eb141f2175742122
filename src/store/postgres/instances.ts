// The instances of this service on this database, as far as they were heard of lately.
import type { JournalTime } from '../../contract/denylist-keys.ts'
import type { Postgres, Statement } from './postgres.ts'

export interface Instances {
  /**
   * Says that this one is there; resolves to all that the database lists, this one included: the 200 that were
   * seen last. Rejects with `unavailable` or `failed`.
   */
  present(): Promise<ListedInstance[]>
  /** Says that this one is gone; for a day it stays on the list. Rejects with `unavailable` or `failed`. */
  leave(): Promise<void>
}

export interface ListedInstance {
  id: string
  /** For people. */
  name: string
  /** When it last said that it was there. Of this instance: no earlier than any time that it read before. */
  seenAtMs: JournalTime
  /** Whether it was seen in the last ten seconds, and is not gone. */
  isPresent: boolean
  /** Whether it is a command, which vouches for nothing, and reads the list once. */
  isCommand: boolean
  /** The instance says this of its settings; `null` where it says nothing, or is not there. */
  settings: string | null
}

export interface Instance {
  /** A UUID that no other process has. */
  id: string
  /** For people: `host:pid`. */
  name: string
  isCommand?: boolean
  /** The instance says this of the settings that must be the same at all instances; nothing, where there is none. */
  settings?: () => string | null
}

/** Stands before the names of commands. */
const COMMAND = 'command '

const MAX_LISTED = 200

const PRESENT: Statement = {
  name: 'instances.present',
  text: `
    WITH this AS (
      INSERT INTO instances (id, name, seen_at, settings) VALUES ($1, $2, now(), $3)
      ON CONFLICT (id) DO UPDATE
        SET seen_at = EXCLUDED.seen_at, left_at = NULL, settings = coalesce(EXCLUDED.settings, instances.settings)
      RETURNING id, name, seen_at, true AS is_present, settings
    ), others AS (
      SELECT id, name, seen_at, left_at IS NULL AND seen_at > now() - interval '10 seconds' AS is_present, settings
      FROM instances WHERE id <> $1 ORDER BY seen_at DESC LIMIT ${MAX_LISTED - 1}
    )
    SELECT id, name, (extract(epoch FROM seen_at) * 1000)::float8 AS "seenAtMs", is_present AS "isPresent",
      starts_with(name, '${COMMAND}') AS "isCommand",
      CASE WHEN is_present THEN settings END AS settings
    FROM (SELECT * FROM this UNION ALL SELECT * FROM others) AS listed`,
}

const LEAVE: Statement = {
  name: 'instances.leave',
  text: 'UPDATE instances SET left_at = now() WHERE id = $1',
}

export function instances(
  postgres: Postgres,
  { id, name, isCommand = false, settings = () => null }: Instance,
): Instances {
  const fullName = isCommand ? `${COMMAND}${name}` : name
  /** As the row has them. They are said again where they changed, and where the database has lost them. */
  let said: string | null = null
  /** Settles with the last `present`. One that reached Postgres after `leave` would list the instance again. */
  let saying: Promise<unknown> = Promise.resolve()

  return {
    present: async () => {
      const listed = present()
      saying = Promise.allSettled([saying, listed])
      return await listed
    },
    leave: async () => {
      await saying
      await postgres.query(LEAVE, [id])
    },
  }

  async function present(): Promise<ListedInstance[]> {
    const current = settings()
    const listed = await postgres.query<ListedInstance>(PRESENT, [
      id,
      fullName,
      current === said ? null : current,
    ])
    said = listed.find((instance) => instance.id === id)?.settings ?? null
    return listed
  }
}
