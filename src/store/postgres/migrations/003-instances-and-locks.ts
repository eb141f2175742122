// Settles which of several instances does what only one may do, which instances there are, and the order the relay reads in.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('locks', (table) => {
    table.text('name').primary()
    table.uuid('holder')
    table.timestamp('expires_at').notNullable()
  })

  await knex.schema.createTable('instances', (table) => {
    table.uuid('id').primary()
    table.text('name').notNullable()
    table.timestamp('seen_at').notNullable()
  })

  // The order in which the relay reads: many rows may be of one moment.
  await knex.schema.alterTable('revocations', (table) => {
    table.index(['created_at', 'seq'])
    table.dropIndex('created_at')
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('revocations', (table) => {
    table.index('created_at')
    table.dropIndex(['created_at', 'seq'])
  })
  for (const table of ['instances', 'locks']) await knex.schema.dropTable(table)
}
