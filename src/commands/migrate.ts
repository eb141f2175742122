// signoff migrate [up|down|status]
import type { Config } from '../config.ts'
import { migrateDown, migrateUp, migrationStatus } from '../store/postgres/migrate.ts'
import { databaseUrlOf } from './database.ts'
import { print, type Output } from './output.ts'

export type MigrateAction = 'up' | 'down' | 'status'

export async function migrate(config: Config, action: MigrateAction, output: Output): Promise<void> {
  const url = await databaseUrlOf(config)
  switch (action) {
    case 'up': {
      const applied = await migrateUp(url)
      print(output, applied.length > 0 ? applied.map((name) => `applied ${name}`) : 'nothing to apply', {
        applied,
      })
      return
    }
    case 'down': {
      const undone = await migrateDown(url)
      print(output, undone.length > 0 ? undone.map((name) => `took back ${name}`) : 'nothing to take back', {
        undone,
      })
      return
    }
    case 'status': {
      const status = await migrationStatus(url)
      const lines = [
        ...status.done.map((name) => `done     ${name}`),
        ...status.pending.map((name) => `pending  ${name}`),
      ]
      print(output, lines, status)
    }
  }
}
