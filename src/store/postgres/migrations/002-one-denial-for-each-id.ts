// One row of the journal for each denied id, so that of racing callers one wins; log entries by user and id.
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  // No release wrote an id twice; where somebody else did, the denial that lasts longest stays.
  await knex.raw(`
    DELETE FROM revocations AS shorter
    WHERE EXISTS (
      SELECT 1 FROM revocations AS longer
      WHERE longer.denied_id = shorter.denied_id
        AND (longer.expires_at, longer.seq) > (shorter.expires_at, shorter.seq)
    )`)
  await knex.schema.alterTable('revocations', (table) => {
    // An index and no constraint: not every Postgres-compatible engine can drop the latter.
    table.unique(['denied_id'], { useConstraint: false })
    table.dropIndex('denied_id')
  })
  await knex.schema.alterTable('logs', (table) => {
    table.index(['user_id', 'id'])
    table.dropIndex(['user_id', 'created_at'])
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('logs', (table) => {
    table.index(['user_id', 'created_at'])
    table.dropIndex(['user_id', 'id'])
  })
  await knex.schema.alterTable('revocations', (table) => {
    table.index('denied_id')
    table.dropIndex([], 'revocations_denied_id_unique')
  })
}
