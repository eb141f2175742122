// A user gets claims of its own, which access tokens carry besides those of the service.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('users', (table) => {
    // A constant default: no row is rewritten, and an instance of the version before need not know the column.
    table.jsonb('claims').notNullable().defaultTo('{}')
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('users', (table) => {
    table.dropColumn('claims')
  })
}
