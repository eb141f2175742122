// Brings the schema up or down; safe when several processes start at once.
import knex, { type Knex } from 'knex'
import { withMigrationLock } from './migration-lock.ts'
import { migrationSource } from './migrations.ts'
import { MIGRATIONS_TABLE, schemaStatus, sentenceOfNewer, type SchemaStatus } from './schema-status.ts'

/**
 * Applies what is pending; resolves to the names of what it applied. A schema that a newer program has brought further
 * is left as it is; rejects where it is newer and lacks something, too.
 */
export async function migrateUp(databaseUrl: string): Promise<string[]> {
  return await withMigrator(databaseUrl, async (migrator, { pending, newer }) => {
    if (newer.length > 0 && pending.length === 0) return []
    if (newer.length > 0) throw new Error(`${sentenceOfNewer(newer)}, and it lacks ${pending.join(', ')}`)
    const [, names] = (await migrator.latest()) as [number, string[]]
    return names
  })
}

/** Takes the newest migration back; resolves to the names of what it took back. Rejects where this program has none of it. */
export async function migrateDown(databaseUrl: string): Promise<string[]> {
  return await withMigrator(databaseUrl, async (migrator, { newer }) => {
    if (newer.length > 0) {
      throw new Error(`${sentenceOfNewer(newer)}: take that back with the program that applied it`)
    }
    const [, names] = (await migrator.down()) as [number, string[]]
    return names
  })
}

async function withMigrator<T>(
  databaseUrl: string,
  work: (migrator: Knex.Migrator, status: SchemaStatus) => Promise<T>,
): Promise<T> {
  return await withMigrationLock(databaseUrl, async () => {
    const database = knex({
      client: 'pg',
      connection: databaseUrl,
      pool: { min: 0, max: 1 },
      migrations: { migrationSource, tableName: MIGRATIONS_TABLE },
    })
    try {
      // One that was left behind: who is here migrates alone.
      await database.migrate.forceFreeMigrationsLock()
      return await work(database.migrate, await schemaStatus(databaseUrl))
    } finally {
      await database.destroy()
    }
  })
}
