// The services that ask on their own behalf: introspection, revocation, the feed.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('peers', (table) => {
    table.text('client_id').primary()
    table.binary('secret_hash').notNullable()
    table.timestamp('created_at').notNullable().defaultTo(knex.fn.now())
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('peers')
}
