// Tells one database from another, and remembers the instances that have left.
import { randomUUID } from 'node:crypto'
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  // One row, which a copy of the database has too: then it is the instances by which the two are told apart.
  await knex.schema.createTable('database_identity', (table) => {
    table.uuid('id').primary()
  })
  await knex('database_identity').insert({ id: randomUUID() })

  await knex.schema.alterTable('instances', (table) => {
    table.timestamp('left_at')
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('instances', (table) => {
    table.dropColumn('left_at')
  })
  await knex.schema.dropTable('database_identity')
}
