// A row has to know this before it hands out a successor that nobody seems to have received.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  // Constant defaults: no row is rewritten, and an instance of the version before need not know the columns.
  await knex.schema.alterTable('user_sessions', (table) => {
    // The newest generation of which a token was read. The first one is handed out by the login itself.
    table.integer('presented_generation').notNullable().defaultTo(0)
    table.timestamp('late_replay_at')
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('user_sessions', (table) => {
    table.dropColumn('presented_generation')
    table.dropColumn('late_replay_at')
  })
}
