// What is journaled again of what was heard, what is left alone, and which sessions end by it.
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { Client } from 'pg'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import type { Account } from '../../../../src/auth/ports/accounts.ts'
import { journalMender, type JournalMender } from '../../../../src/store/postgres/journal-mender.ts'
import { postgres } from '../../../../src/store/postgres/postgres.ts'
import { isDenied, logOut, storedSession, storedUser } from '../../../support/builders/stored-session.ts'
import { eventually } from '../../../support/service/environment.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'

const HOUR_MS = 3_600_000

describe('journalMender', () => {
  let store: PostgresStoreSubject
  let mender: JournalMender
  let user: Account

  beforeEach(async () => {
    store = await postgresStoreSubject()
    mender = journalMender(store.postgres)
    user = await storedUser(store)
  })
  afterEach(async () => {
    await store.close()
  })

  interface Row {
    id: string
    partition: string
    reason: string
    ttlMs: number
    seq: string
    createdMsAgo: number
  }
  const rows = async (): Promise<Row[]> =>
    await store.database.sql<Row>(
      `SELECT denied_id AS id, partition, reason, seq,
              (extract(epoch FROM expires_at - now()) * 1000)::float8 AS "ttlMs",
              (extract(epoch FROM now() - created_at) * 1000)::float8 AS "createdMsAgo"
       FROM revocations ORDER BY denied_id`,
    )
  const endOf = async (id: string): Promise<unknown> =>
    (await store.database.sql(`SELECT end_reason AS reason FROM user_sessions WHERE id = $1`, [id]))[0]
  /** As a restored Postgres stands to a logout that it has forgotten. */
  const forget = async (): Promise<void> => {
    await store.database.sql('DELETE FROM revocations')
    await store.database.sql('UPDATE user_sessions SET ended_at = NULL, end_reason = NULL')
  }

  it('journals a session, a token and a foreign token that the journal lacks, at its end, and tells which', async () => {
    const session = `${uuidv7().slice(0, -2)}a7`
    const token = `${uuidv7().slice(0, -2)}b8:${uuidv4()}`
    const foreign = createHash('sha256').update('a foreign token').digest('hex')
    const ids = [session, token, foreign]
    await store.deny(uuidv7(), HOUR_MS)

    const written = await mender.mend(ids.map((id) => ({ id, ttlMs: HOUR_MS })))

    const mended = (await rows()).filter(({ id }) => ids.includes(id))
    expect(written).to.have.members(ids)
    expect(Object.fromEntries(mended.map((row) => [row.id, [row.partition, row.reason]]))).to.deep.equal({
      [session]: ['a7', 'logout'],
      [token]: ['b8', 'rotated'],
      [foreign]: [foreign.slice(-2), 'logout'],
    })
    for (const { ttlMs, createdMsAgo } of mended) {
      expect(ttlMs + createdMsAgo).to.be.closeTo(HOUR_MS, 1)
    }
    const { rows: read } = await store.journal.readBatch(null, 10)
    expect(read.slice(1).map(({ id }) => id)).to.have.members(ids)
  })

  it('ends the sessions among them once more, so that none of their tokens is renewed, and no other session', async () => {
    const [over, itsToken, on] = [
      await storedSession(store, user),
      await storedSession(store, user),
      await storedSession(store, user),
    ]
    const denial = await logOut(store, over)
    await forget()
    const before = await store.sessions.find(over.id)

    await mender.mend([
      { id: over.id, ttlMs: denial?.ttlMs ?? 0 },
      { id: `${itsToken.id}:${uuidv4()}`, ttlMs: HOUR_MS },
    ])

    expect(before).not.to.equal(null)
    expect(await store.sessions.find(over.id)).to.equal(null)
    expect(await isDenied(store, over.id)).to.equal(true)
    expect(await endOf(over.id)).to.deep.equal({ reason: 'logout' })
    for (const { id } of [itsToken, on]) expect(await endOf(id)).to.deep.equal({ reason: null })
  })

  it('leaves alone what the journal has: nothing is written, and nobody who has it locked is waited for', async () => {
    const session = await storedSession(store, user)
    const denial = await logOut(store, session)
    // As long as it was under way for less than a minute.
    const ttlMs = (denial?.ttlMs ?? 0) - 60_000
    const before = await rows()
    const locker = new Client({ connectionString: store.database.url })
    await locker.connect()
    await locker.query('BEGIN')
    await locker.query('SELECT 1 FROM revocations FOR UPDATE')

    const written = await mender.mend([{ id: session.id, ttlMs }]).finally(async () => {
      await locker.end()
    })

    expect(written).to.deep.equal([])
    expect((await rows()).map(({ seq }) => seq)).to.deep.equal(before.map(({ seq }) => seq))
  })

  it('extends what is over, or ends too early, and moves it to where the relay reads next', async () => {
    const [expired, short, long] = [uuidv7(), uuidv7(), uuidv7()]
    await store.deny(expired, -1000)
    await store.deny(short, HOUR_MS / 2)
    await store.deny(long, 2 * HOUR_MS)
    await store.database.sql(`UPDATE revocations SET created_at = now() - interval '1 hour'`)
    const { nowMs } = await store.journal.clock()

    const written = await mender.mend([expired, short, long].map((id) => ({ id, ttlMs: HOUR_MS })))

    const found = Object.fromEntries((await rows()).map((row) => [row.id, Math.round(row.ttlMs / HOUR_MS)]))
    expect(written).to.have.members([expired, short])
    expect(found).to.deep.equal({ [expired]: 1, [short]: 1, [long]: 2 })
    const read: string[] = []
    for await (const batch of store.journal.readSince(nowMs)) read.push(...batch.map(({ id }) => id))
    expect(read).to.have.members([expired, short])
  })

  it('takes for the same what ends no more than ten minutes later: it was heard of later than it was said', async () => {
    const id = uuidv7()
    await store.deny(id, HOUR_MS)

    const written = await store.postgres.transaction(async (query) => {
      // Within a transaction it is the same moment all the time.
      const inOneMoment = journalMender({ ...store.postgres, query })
      const [row] = await query<{ ttlMs: number }>({
        name: 'test.ttl',
        text: `SELECT (extract(epoch FROM expires_at - now()) * 1000)::float8 AS "ttlMs" FROM revocations`,
      })
      const ttlMs = row?.ttlMs ?? NaN
      return [
        await inOneMoment.mend([{ id, ttlMs: ttlMs + 599_000 }]),
        await inOneMoment.mend([{ id, ttlMs: ttlMs + 601_000 }]),
      ]
    })

    expect(written).to.deep.equal([[], [id]])
  })

  it('leaves out what is no id of ours, or has no time left, and does the rest', async () => {
    const good = uuidv7()
    const strange = [
      '',
      'x',
      good.toUpperCase(),
      `${good} `,
      `${good}:`,
      `${good}:a b`,
      `${good}:${'x'.repeat(65)}`,
      `x:${good}`,
      'AB'.repeat(32),
      'ab'.repeat(33),
      `${good}\n`,
      `${good}:'; DROP TABLE revocations; --`,
      '\u0000',
    ]

    const written = await mender.mend([
      ...strange.map((id) => ({ id, ttlMs: HOUR_MS })),
      { id: uuidv7(), ttlMs: 0 },
      { id: uuidv7(), ttlMs: -1 },
      { id: uuidv7(), ttlMs: NaN },
      { id: good, ttlMs: HOUR_MS },
    ])

    expect(written).to.deep.equal([good])
    expect((await rows()).map(({ id }) => id)).to.deep.equal([good])
  })

  it('keeps the longest of what it is told about one id, and no longer than Postgres can tell', async () => {
    const [twice, forEver, forAges] = [uuidv7(), uuidv7(), uuidv7()]

    const written = await mender.mend([
      { id: twice, ttlMs: 1000 },
      { id: twice, ttlMs: HOUR_MS },
      { id: twice, ttlMs: 2000 },
      { id: forEver, ttlMs: Infinity },
      { id: forAges, ttlMs: 1e30 },
    ])

    const found = Object.fromEntries((await rows()).map((row) => [row.id, row.ttlMs]))
    expect(written).to.have.members([twice, forEver, forAges])
    expect(found[twice]).to.be.within(HOUR_MS / 2, HOUR_MS)
    for (const id of [forEver, forAges]) expect(found[id]).to.be.above(50 * 365 * 24 * HOUR_MS)
  })

  it('mends any number, a thousand in one statement, and nothing where there is nothing', async () => {
    const ids = Array.from({ length: 2001 }, () => uuidv7())

    const written = await mender.mend(ids.map((id) => ({ id, ttlMs: HOUR_MS })))
    const statements = await store.database.sql<{ rows: number }>(
      'SELECT count(*)::int AS rows FROM revocations GROUP BY created_at ORDER BY created_at',
    )

    expect(written).to.have.members(ids)
    expect(statements.map((one) => one.rows)).to.deep.equal([1000, 1000, 1])
    expect(await mender.mend([])).to.deep.equal([])
  })

  it('takes the session before its denial, as a logout does, so that neither waits for the other for ever', async () => {
    const { id } = await storedSession(store, user)
    const patient = postgres({ url: store.database.url, log: store.log, timeoutMs: 300_000 })
    const logout = new Client({ connectionString: store.database.url })
    await logout.connect()
    try {
      await logout.query('BEGIN')
      await logout.query('SELECT 1 FROM user_sessions WHERE id = $1 FOR UPDATE', [id])
      const mending = journalMender(patient).mend([{ id, ttlMs: HOUR_MS }])
      await eventually(async () => {
        const waiting = await store.database.sql(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        )
        return waiting.length > 0
      })

      await logout.query(`UPDATE user_sessions SET ended_at = now(), end_reason = 'revoked' WHERE id = $1`, [
        id,
      ])
      await logout.query(
        `INSERT INTO revocations (denied_id, partition, reason, expires_at)
         VALUES ($1, '00', 'revoked', now() + interval '2 hours')`,
        [id],
      )
      await logout.query('COMMIT')

      expect(await mending).to.deep.equal([])
      expect(await endOf(id)).to.deep.equal({ reason: 'revoked' })
    } finally {
      await logout.end()
      await patient.close()
    }
  })
})
