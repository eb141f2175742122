// signoff migrate [up|down|status]
import type { Config } from '../config.ts'
import { migrateDown, migrateUp } from '../store/postgres/migrate.ts'
import { schemaStatus, sentenceOfNewer } from '../store/postgres/schema-status.ts'
import { databaseUrlOf } from './database.ts'
import { print, type Output } from './output.ts'

export type MigrateAction = 'up' | 'down' | 'status'

export async function migrate(config: Config, action: MigrateAction, output: Output): Promise<void> {
  const url = await databaseUrlOf(config)
  switch (action) {
    case 'up': {
      const applied = await migrateUp(url)
      const { newer } = await schemaStatus(url)
      const nothing = newer.length > 0 ? `nothing to apply: ${sentenceOfNewer(newer)}` : 'nothing to apply'
      print(output, applied.length > 0 ? applied.map((name) => `applied ${name}`) : nothing, { applied })
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
      const status = await schemaStatus(url)
      const lines = [
        ...status.done.map((name) => `done     ${name}`),
        ...status.pending.map((name) => `pending  ${name}`),
        ...status.newer.map((name) => `newer    ${name}`),
      ]
      print(output, lines, status)
    }
  }
}
