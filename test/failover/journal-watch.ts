// Looks, again and again, which of the lost logouts are back in the journal.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { runTime } from '../fault/recorder.ts'
import type { RunTime } from '../fault/history.ts'

export interface Returned {
  at: RunTime
  /** As the journal has it. */
  reason: string
}

export interface JournalWatch {
  returned: ReadonlyMap<string, Returned>
  /** Resolves to how many of the sessions have a row that is not ended. */
  stop: () => Promise<number>
}

const LOOK_EVERY_MS = 100

/** `url` leads to the member that has taken over. */
export async function watchJournal(url: string, lost: ReadonlySet<string>): Promise<JournalWatch> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000, query_timeout: 10_000 })
  client.on('error', () => undefined)
  await client.connect()
  const returned = new Map<string, Returned>()
  const stopped = new AbortController()

  const look = async (): Promise<void> => {
    const missing = [...lost].filter((id) => !returned.has(id))
    const { rows } = await client.query<{ id: string; reason: string }>(
      'SELECT denied_id AS id, reason FROM revocations WHERE denied_id = ANY($1)',
      [missing],
    )
    for (const { id, reason } of rows) returned.set(id, { at: runTime(), reason })
  }
  const looking = (async () => {
    while (!stopped.signal.aborted) {
      await look()
      await sleep(LOOK_EVERY_MS)
    }
  })()
  // Noticed by `stop`; until then it is nobody's to handle.
  looking.catch(() => undefined)

  return {
    returned,
    stop: async () => {
      stopped.abort()
      try {
        await looking
        const { rows } = await client.query<{ open: number }>(
          'SELECT count(*)::int AS open FROM user_sessions WHERE id::text = ANY($1) AND ended_at IS NULL',
          [[...lost]],
        )
        return rows[0]?.open ?? 0
      } finally {
        await client.end()
      }
    },
  }
}
