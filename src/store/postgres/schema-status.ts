// Where the schema of a database stands to this program. It is only read: a role that may create no table can ask, too.
import { DatabaseError } from 'pg'
import { AuthError } from '../../auth/errors.ts'
import { silentLog } from '../../ops/log.ts'
import { MIGRATION_NAMES } from './migrations.ts'
import { postgres } from './postgres.ts'

/** Of the names of migrations, in their order. */
export interface SchemaStatus {
  done: string[]
  pending: string[]
  /** Applied by a newer program: this one does not know them. */
  newer: string[]
}

export const MIGRATIONS_TABLE = 'signoff_migrations'

const READ = {
  name: 'schema.status',
  text: `SELECT name FROM ${MIGRATIONS_TABLE} ORDER BY id`,
}
const NO_SUCH_TABLE = '42P01'

/** For a start, when the machine may have more to do: it is longer than a request may wait. */
const TIMEOUT_MS = 5000

/**
 * Rejects with `unavailable` when Postgres does not answer within some seconds, or is a standby; with `failed` where
 * the role may not read, with the driver's error as the cause.
 */
export async function schemaStatus(databaseUrl: string): Promise<SchemaStatus> {
  const database = postgres({ url: databaseUrl, log: silentLog, timeoutMs: TIMEOUT_MS, poolSize: 1 })
  try {
    const names = await database.query<{ name: string }>(READ).then(
      (rows) => rows.map(({ name }) => name),
      (error: unknown): string[] => {
        // Nothing was ever applied.
        if (isOfMissingTable(error)) return []
        throw error
      },
    )
    return {
      done: names.filter((name) => MIGRATION_NAMES.includes(name)),
      pending: MIGRATION_NAMES.filter((name) => !names.includes(name)),
      newer: names.filter((name) => !MIGRATION_NAMES.includes(name)),
    }
  } finally {
    await database.close()
  }
}

export function sentenceOfNewer(newer: readonly string[]): string {
  return `the schema of the database is newer than this program (${newer.join(', ')})`
}

function isOfMissingTable(error: unknown): boolean {
  const cause = error instanceof AuthError ? error.cause : error
  return cause instanceof DatabaseError && cause.code === NO_SUCH_TABLE
}
