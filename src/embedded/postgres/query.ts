// Asks a Postgres one thing over a connection of its own.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'

const CONNECT_TIMEOUT_MS = 2000
const QUERY_TIMEOUT_MS = 10_000
const CLOSE_TIMEOUT_MS = 1000

/** Resolves to the first column of the first row, null without rows; rejects within seconds if there is no answer. */
export async function postgresQuery(url: string, statement: string): Promise<unknown> {
  const client = new Client({
    connectionString: url,
    ssl: false,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  })
  // Without a listener a connection that breaks later would end this process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<unknown[]>({ text: statement, rowMode: 'array' })
    return rows[0]?.[0] ?? null
  } finally {
    await Promise.race([
      client.end().catch(() => undefined),
      sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false }),
    ])
  }
}

/** The address of a database of an embedded Postgres. */
export function postgresUrl(at: { port: number; password: string; database: string }): string {
  return `postgres://signoff:${at.password}@127.0.0.1:${at.port}/${at.database}`
}
