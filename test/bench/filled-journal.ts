// A journal full of live denials, and a Redis that has lost them.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestEnvironment } from '../support/service/environment.ts'

/** The journal is filled in as many statements of as many rows, so that none is long. */
const ROWS_A_STATEMENT = 100_000

/** As a day of logouts leaves it: spread over the day, alive for another. */
export async function fillJournal({ database }: TestEnvironment, denials: number): Promise<void> {
  for (let first = 0; first < denials; first += ROWS_A_STATEMENT) {
    const last = Math.min(first + ROWS_A_STATEMENT, denials) - 1
    await database.sql(
      `INSERT INTO revocations (denied_id, partition, reason, created_at, expires_at)
       SELECT id, right(id, 2), 'logout', now() - (1 - n / $3::float8) * interval '1 day' - interval '1 minute',
              now() + interval '1 day'
       FROM (SELECT n, gen_random_uuid()::text AS id FROM generate_series($1::int, $2::int) AS n) AS new`,
      [first, last, denials],
    )
  }
  // As autovacuum would have, in a day.
  await database.sql('ANALYZE revocations')
}

export async function killAndLoseData({ redis }: TestEnvironment): Promise<void> {
  const [, directory = ''] = await redis.client.config('GET', 'dir')
  const [, files = ''] = await redis.client.config('GET', 'appenddirname')
  await redis.signal('SIGKILL')
  await rm(join(directory, files), { recursive: true })
}

export async function isReady({ signoff }: TestEnvironment): Promise<boolean> {
  return (await signoff.call('/readyz', { method: 'GET' })).status === 200
}
