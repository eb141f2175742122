// What the journal tells the relay about transactions that are not done yet.
import { expect } from 'chai'
import { Client } from 'pg'
import { postgresStoreSubject, type PostgresStoreSubject } from '../../support/postgres-store-subject.ts'

describe('postgresJournal', () => {
  let store: PostgresStoreSubject
  let writer: Client

  beforeEach(async () => {
    store = await postgresStoreSubject()
    writer = new Client({ connectionString: store.database.url })
    await writer.connect()
  })
  afterEach(async () => {
    await writer.end()
    await store.close()
  })

  it('is settled up to now while nobody writes', async () => {
    await writer.query('BEGIN')
    await writer.query('SELECT 1 FROM revocations')

    expect(await store.journal.settledUpTo()).to.be.closeTo(Date.now(), 1000)
  })

  it('is settled no further than where the oldest open writer began', async () => {
    await writer.query('BEGIN')
    const { rows } = await writer.query<{ began: number }>(
      `INSERT INTO revocations (denied_id, partition, reason, expires_at)
       VALUES ('x', 'x', 'logout', now() + interval '1 hour')
       RETURNING (extract(epoch FROM created_at) * 1000)::float8 AS began`,
    )
    await new Promise((resolve) => setTimeout(resolve, 300))
    const whileOpen = await store.journal.settledUpTo()
    await writer.query('COMMIT')
    const afterwards = await store.journal.settledUpTo()

    expect(whileOpen).to.equal(rows[0]?.began)
    expect(afterwards).to.be.above(whileOpen + 250)
  })
})
