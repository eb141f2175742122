// Indexes by which the sessions of one user are found in the order of their beginning, however many there are.
import type { Knex } from 'knex'

const LIVE = 'user_sessions_live_index'

export async function up(knex: Knex): Promise<void> {
  // By id: UUIDv7 is in the order of time. An ended session leaves it, so that a batch finds the next ones at its start.
  await knex.raw(`CREATE INDEX ${LIVE} ON user_sessions (user_id, id) WHERE ended_at IS NULL`)
  await knex.schema.alterTable('user_sessions', (table) => {
    // All of them, also for the foreign key: when a user is deleted, Postgres looks for sessions that are left.
    table.index(['user_id', 'id'])
    table.dropIndex(['user_id', 'ended_at'])
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('user_sessions', (table) => {
    table.index(['user_id', 'ended_at'])
    table.dropIndex(['user_id', 'id'])
  })
  await knex.raw(`DROP INDEX ${LIVE}`)
}
