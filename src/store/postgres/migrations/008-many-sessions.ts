// The end of one user's sessions in batches, however many there are, takes these: indexes, and a note on the user.
import type { Knex } from 'knex'

const LIVE = 'user_sessions_live_index'

export async function up(knex: Knex): Promise<void> {
  // By id: UUIDv7 is in the order of time. An ended session leaves it, so that each batch begins at its start.
  await knex.raw(`CREATE INDEX ${LIVE} ON user_sessions (user_id, id) WHERE ended_at IS NULL`)
  await knex.schema.alterTable('user_sessions', (table) => {
    // All of them, also for the foreign key: when a user is deleted, Postgres looks for sessions that are left.
    table.index(['user_id', 'id'])
    table.dropIndex(['user_id', 'ended_at'])
  })
  await knex.schema.alterTable('users', (table) => {
    // The change that users have begun to make to their own account, until all that it ends is over.
    table.text('unfinished_change')
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('users', (table) => {
    table.dropColumn('unfinished_change')
  })
  await knex.schema.alterTable('user_sessions', (table) => {
    table.index(['user_id', 'ended_at'])
    table.dropIndex(['user_id', 'id'])
  })
  await knex.raw(`DROP INDEX ${LIVE}`)
}
