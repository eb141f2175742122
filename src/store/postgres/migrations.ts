// The migrations of the schema, in their order, as knex wants them.
import type { Knex } from 'knex'
import { down as down1, up as up1 } from './migrations/001-sessions-and-journal.ts'
import { down as down2, up as up2 } from './migrations/002-one-denial-for-each-id.ts'
import { down as down3, up as up3 } from './migrations/003-instances-and-locks.ts'
import { down as down4, up as up4 } from './migrations/004-peers.ts'
import { down as down5, up as up5 } from './migrations/005-database-identity.ts'
import { down as down6, up as up6 } from './migrations/006-late-replay.ts'
import { down as down7, up as up7 } from './migrations/007-instance-settings.ts'
import { down as down8, up as up8 } from './migrations/008-many-sessions.ts'
import { down as down9, up as up9 } from './migrations/009-own-claims.ts'

/** In their order. Named without an extension, so that a checkout and a build share one history. */
const MIGRATIONS: Record<string, Knex.Migration> = {
  '001-sessions-and-journal': { up: up1, down: down1 },
  '002-one-denial-for-each-id': { up: up2, down: down2 },
  '003-instances-and-locks': { up: up3, down: down3 },
  '004-peers': { up: up4, down: down4 },
  '005-database-identity': { up: up5, down: down5 },
  '006-late-replay': { up: up6, down: down6 },
  '007-instance-settings': { up: up7, down: down7 },
  '008-many-sessions': { up: up8, down: down8 },
  '009-own-claims': { up: up9, down: down9 },
}

export const MIGRATION_NAMES: readonly string[] = Object.keys(MIGRATIONS)

export const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: () => Promise.resolve([...MIGRATION_NAMES]),
  getMigrationName: (name) => name,
  getMigration: (name) => {
    const migration = MIGRATIONS[name]
    return migration ? Promise.resolve(migration) : Promise.reject(new Error(`no migration ${name}`))
  },
}
