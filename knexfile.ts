// For the knex command line, `npx tsx node_modules/.bin/knex`; the service itself migrates through `signoff migrate`.
import type { Knex } from 'knex'
import { environment } from './src/settings/settings-environment.ts'
import { migrationSource } from './src/store/postgres/migrations.ts'
import { MIGRATIONS_TABLE } from './src/store/postgres/schema-status.ts'

const config: Knex.Config = {
  client: 'pg',
  ...(environment['DATABASE_URL'] && { connection: environment['DATABASE_URL'] }),
  migrations: { migrationSource, tableName: MIGRATIONS_TABLE },
}

export default config
