// Users, their sessions, the journal of what was denied, and the log entries.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('users', (table) => {
    table.uuid('id').primary()
    table.text('username').notNullable()
    // The name as it is compared: folded by the service, since a database folds as its locale does.
    table.text('username_key').notNullable().unique()
    table.text('password_hash').notNullable()
    table.text('role').notNullable()
    table.boolean('is_active').notNullable().defaultTo(true)
    table.timestamp('created_at').notNullable().defaultTo(knex.fn.now())
    table.timestamp('updated_at').notNullable().defaultTo(knex.fn.now())
    table.timestamp('last_login_at')
  })

  await knex.schema.createTable('user_sessions', (table) => {
    table.uuid('id').primary()
    // Without a cascade: a session whose row is gone could not be logged out.
    table.uuid('user_id').notNullable().references('users.id')
    table.binary('refresh_jti_hash').notNullable()
    table.integer('generation').notNullable().defaultTo(0)
    table.timestamp('rotated_at')
    table.timestamp('created_at').notNullable().defaultTo(knex.fn.now())
    table.timestamp('last_seen_at').notNullable().defaultTo(knex.fn.now())
    table.timestamp('expires_at').notNullable()
    table.text('user_agent')
    table.text('ip_address').notNullable()
    table.timestamp('ended_at')
    table.text('end_reason')
    table.index(['user_id', 'ended_at'])
    table.index('expires_at')
  })

  // No reference to the session: what was denied stays denied when its row is gone.
  await knex.schema.createTable('revocations', (table) => {
    table.bigIncrements('seq')
    table.text('denied_id').notNullable().index()
    table.text('partition').notNullable()
    table.text('reason').notNullable()
    table.timestamp('created_at').notNullable().defaultTo(knex.fn.now()).index()
    table.timestamp('expires_at').notNullable().index()
  })

  // No references: an entry outlives what it speaks of.
  await knex.schema.createTable('logs', (table) => {
    table.uuid('id').primary()
    table.text('event_type').notNullable()
    table.uuid('user_id')
    table.uuid('session_id')
    table.text('ip_address').notNullable()
    table.text('user_agent')
    table.text('message')
    table.timestamp('created_at').notNullable().defaultTo(knex.fn.now())
    table.index(['user_id', 'created_at'])
    table.index('created_at')
  })
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['logs', 'revocations', 'user_sessions', 'users']) await knex.schema.dropTable(table)
}
