// What the journal writes for foreign tokens, and what it tells the relay about transactions that are not done yet.
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { Client } from 'pg'
import type { JournalRow } from '../../../../src/store/postgres/journal-reader.ts'
import { logEntry } from '../../../support/builders/account.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'

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

    const { nowMs, settledUpTo } = await store.journal.clock()

    expect(nowMs).to.be.closeTo(Date.now(), 1000)
    expect(settledUpTo).to.equal(nowMs)
  })

  it('is settled no further than where the oldest open writer began', async () => {
    await writer.query('BEGIN')
    const { rows } = await writer.query<{ began: number }>(
      `INSERT INTO revocations (denied_id, partition, reason, expires_at)
       VALUES ('x', 'x', 'logout', now() + interval '1 hour')
       RETURNING (extract(epoch FROM created_at) * 1000)::float8 AS began`,
    )
    await new Promise((resolve) => setTimeout(resolve, 300))
    const whileOpen = await store.journal.clock()
    await writer.query('COMMIT')
    const afterwards = await store.journal.clock()

    expect(whileOpen.settledUpTo).to.equal(rows[0]?.began)
    expect(whileOpen.nowMs).to.be.above(whileOpen.settledUpTo + 250)
    expect(afterwards.settledUpTo).to.equal(afterwards.nowMs)
  })

  describe('readSince', () => {
    const rowsSince = async (since: number): Promise<JournalRow[]> => {
      const rows: JournalRow[] = []
      for await (const batch of store.journal.readSince(since)) rows.push(...batch)
      return rows
    }
    const insert = async (id: string, secondsAgo: number) => {
      await store.database.sql(
        `INSERT INTO revocations (denied_id, partition, reason, created_at, expires_at)
         VALUES ($1, '00', 'logout', now() - $2::float8 * interval '1 second', now() + interval '1 hour')`,
        [id, secondsAgo],
      )
    }

    it('yields what was written since, oldest first, and not what is over', async () => {
      await insert('new', 1)
      await insert('old', 60)
      await insert('middle', 5)
      await store.deny('over', -1)

      const { nowMs } = await store.journal.clock()

      expect((await rowsSince(0)).map(({ id }) => id)).to.deep.equal(['old', 'middle', 'new'])
      expect((await rowsSince(nowMs - 30_000)).map(({ id }) => id)).to.deep.equal(['middle', 'new'])
    })

    it('yields each once in batches, also where thousands were written at the same moment', async () => {
      await store.database.sql(
        `INSERT INTO revocations (denied_id, partition, reason, expires_at)
         SELECT gen_random_uuid()::text, '00', 'logout', now() + interval '1 hour' FROM generate_series(1, 10001)`,
      )

      const sizes: number[] = []
      const ids = new Set<string>()
      for await (const batch of store.journal.readSince(0)) {
        sizes.push(batch.length)
        for (const { id } of batch) ids.add(id)
      }

      expect(sizes).to.deep.equal([5000, 5000, 1])
      expect(ids.size).to.equal(10_001)
    })

    it('yields a denial that is written anew once more, at the end, as another writing', async () => {
      const id = 'ab'.repeat(32)
      const expiresAt = Math.floor(Date.now() / 1000) + 600
      await store.journal.deny({ id, expiresAt }, logEntry('USER_LOGOUT'))
      const [before] = await rowsSince(0)
      await insert('between', 0)

      await store.journal.deny({ id, expiresAt: expiresAt + 600 }, logEntry('USER_LOGOUT'))
      const after = await rowsSince(0)

      expect(after.map((row) => row.id)).to.deep.equal(['between', id])
      expect(after[1]?.seq).not.to.equal(before?.seq)
      expect(after[1]?.createdAtMs).to.be.above(before?.createdAtMs ?? Infinity)
      expect(after[1]?.ttlMs).to.be.closeTo((1200 + store.leewaySeconds) * 1000, 1500)
    })
  })

  describe('readBatch', () => {
    const insert = async (count: number) => {
      await store.database.sql(
        `INSERT INTO revocations (denied_id, partition, reason, expires_at)
         SELECT gen_random_uuid()::text, '00', 'logout', now() + interval '1 hour' FROM generate_series(1, $1::int)`,
        [count],
      )
    }
    const inOrder = async (): Promise<unknown[]> =>
      (
        await store.database.sql<{ seq: string }>(
          'SELECT seq FROM revocations WHERE expires_at > now() ORDER BY created_at, seq',
        )
      ).map(({ seq }) => seq)

    it('reads all that is live, each once, so many at a time, and says when it is at the end', async () => {
      await insert(5)
      await store.deny('over', -1)
      await insert(2)
      const sizes: number[] = []
      const seqs: string[] = []

      let { rows, next } = await store.journal.readBatch(null, 3)
      for (;;) {
        sizes.push(rows.length)
        seqs.push(...rows.map(({ seq }) => seq))
        if (next === null) break
        ;({ rows, next } = await store.journal.readBatch(next, 3))
      }

      expect(sizes).to.deep.equal([3, 3, 1])
      expect(seqs).to.deep.equal(await inOrder())
    })

    it('goes on where it was, with what has come in since', async () => {
      await insert(2)
      const { next } = await store.journal.readBatch(null, 2)
      const atTheEnd = await store.journal.readBatch(next, 2)
      await insert(1)

      const { rows } = await store.journal.readBatch(next, 2)

      expect(atTheEnd).to.deep.equal({ rows: [], next: null })
      expect(rows.map(({ seq }) => seq)).to.deep.equal((await inOrder()).slice(2))
    })

    it('reads an empty journal to its end', async () => {
      expect(await store.journal.readBatch(null, 10)).to.deep.equal({ rows: [], next: null })
    })

    it('tells of a row what readSince does', async () => {
      await insert(1)
      const since: JournalRow[] = []
      for await (const batch of store.journal.readSince(0)) since.push(...batch)

      const [row] = (await store.journal.readBatch(null, 1)).rows

      expect(row).to.have.all.keys('seq', 'id', 'ttlMs', 'createdAtMs')
      expect(row).to.deep.include({ ...since[0], ttlMs: row?.ttlMs })
      expect(row?.ttlMs).to.be.within(0, 3_600_000)
    })
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
