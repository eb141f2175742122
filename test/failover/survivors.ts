// What the member that takes over has of the sessions and the journal, before it takes over.
import { Client } from 'pg'

export interface Survivors {
  /** The generation of each session that is there. */
  generations: ReadonlyMap<string, number>
  /** All that the journal denies. */
  denied: ReadonlySet<string>
}

/** Rejects when the member takes writes already. */
export async function readSurvivors(url: string): Promise<Survivors> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000, query_timeout: 10_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rows: states } = await client.query<{ isStandby: boolean }>(
      'SELECT pg_is_in_recovery() AS "isStandby"',
    )
    if (!states[0]?.isStandby) throw new Error('the replica took over before anybody could look at it')
    const sessions = await client.query<{ id: string; generation: number }>(
      'SELECT id, generation FROM user_sessions',
    )
    const journal = await client.query<{ id: string }>('SELECT denied_id AS id FROM revocations')
    return {
      generations: new Map(sessions.rows.map(({ id, generation }) => [id, generation])),
      denied: new Set(journal.rows.map(({ id }) => id)),
    }
  } finally {
    await client.end()
  }
}
