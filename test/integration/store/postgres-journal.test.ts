// What the journal writes for foreign tokens, and what it tells the relay about transactions that are not done yet.
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { Client } from 'pg'
import { logEntry } from '../../support/builders/account.ts'
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

  describe('deny', () => {
    const id = createHash('sha256').update('a foreign token').digest('hex')
    let expiresAt: number

    beforeEach(() => {
      expiresAt = Math.floor(Date.now() / 1000) + 600
    })

    it('writes the denial of a foreign token and its entry in a single commit', async () => {
      const denial = await store.journal.deny({ id, expiresAt }, logEntry('USER_LOGOUT', { message: 'told' }))

      const rows = await store.database.sql<Record<string, unknown>>(
        `SELECT r.denied_id, r.partition, r.reason, extract(epoch FROM r.expires_at)::int AS denied_until,
                l.event_type, l.user_id, l.session_id, l.message, r.xmin = l.xmin AS one_commit
         FROM revocations r, logs l`,
      )
      expect(rows).to.deep.equal([
        {
          denied_id: id,
          partition: id.slice(-2),
          reason: 'logout',
          denied_until: expiresAt + store.leewaySeconds,
          event_type: 'USER_LOGOUT',
          user_id: null,
          session_id: null,
          message: 'told',
          one_commit: true,
        },
      ])
      expect(denial?.ttlMs).to.be.closeTo(605_000, 1500)
    })

    it('lets one of twenty callers win, and writes one entry', async () => {
      const denials = await Promise.all(
        Array.from(
          { length: 20 },
          async () => await store.journal.deny({ id, expiresAt }, logEntry('USER_LOGOUT')),
        ),
      )

      expect(denials.filter((denial) => denial !== null)).to.have.length(1)
      expect(await store.database.sql('SELECT 1 FROM revocations')).to.have.length(1)
      expect(await store.entries()).to.have.length(1)
    })

    it('is read by the relay like any other denial', async () => {
      await store.journal.deny({ id, expiresAt }, logEntry('USER_LOGOUT'))

      const ids: string[] = []
      for await (const batch of store.journal.readSince(0)) ids.push(...batch.map((row) => row.id))

      expect(ids).to.deep.equal([id])
    })
  })
})
