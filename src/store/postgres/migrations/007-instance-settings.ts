// The settings of each instance that must be the same at all of them, so that a difference is seen.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  // Null: an instance of the version before, or a command, which has nothing to agree on.
  await knex.schema.alterTable('instances', (table) => {
    table.text('settings')
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('instances', (table) => {
    table.dropColumn('settings')
  })
}
