// The schema, up and down, however many ask for it at once.
import { expect } from 'chai'
import type { AuthError } from '../../../../src/auth/errors.ts'
import { migrateDown, migrateUp } from '../../../../src/store/postgres/migrate.ts'
import { schemaStatus } from '../../../../src/store/postgres/schema-status.ts'
import { emptyDatabase, type TestDatabase } from '../../../support/servers/postgres.ts'

const FIRST = '001-sessions-and-journal'
const UNIQUE_DENIALS = '002-one-denial-for-each-id'

describe('migrate', () => {
  let database: TestDatabase

  beforeEach(async () => {
    database = await emptyDatabase()
  })
  afterEach(async () => {
    await database.drop()
  })

  const tables = async () =>
    (
      await database.sql<{ name: string }>(
        `SELECT table_name AS name FROM information_schema.tables
         WHERE table_schema = 'public' AND table_name NOT LIKE 'signoff_migrations%' ORDER BY 1`,
      )
    ).map(({ name }) => name)

  /** Leaves the tables of the migrations themselves behind. */
  const takeAllBack = async () => {
    while ((await schemaStatus(database.url)).done.length > 0) await migrateDown(database.url)
  }

  it('applies what is pending, once, and tells where it stands', async () => {
    const before = await schemaStatus(database.url)

    const applied = await migrateUp(database.url)
    const again = await migrateUp(database.url)

    expect(before.pending).to.include(FIRST)
    expect(applied).to.deep.equal(before.pending)
    expect(again).to.deep.equal([])
    expect(await schemaStatus(database.url)).to.deep.equal({
      done: before.pending,
      pending: [],
      newer: [],
    })
    expect(await tables()).to.include.members(['logs', 'revocations', 'user_sessions', 'users'])
  })

  it('lets one of five that start at once apply it, and all of them go on', async () => {
    const applied = await Promise.all(Array.from({ length: 5 }, async () => await migrateUp(database.url)))

    expect(applied.filter((names) => names.length > 0)).to.have.length(1)
    expect(await tables()).to.include('revocations')
  })

  it('goes on after one that died in the middle of it', async () => {
    await migrateUp(database.url)
    await takeAllBack()
    await database.sql('UPDATE signoff_migrations_lock SET is_locked = 1')

    expect(await migrateUp(database.url)).to.include(FIRST)
  })

  describe('on an engine', () => {
    const fiveAtOnce = async () =>
      await Promise.all(Array.from({ length: 5 }, async () => await migrateUp(database.url)))

    /** Found before Postgres's own, which then might as well not be there. */
    async function replaceAdvisoryLocks(take: string): Promise<void> {
      await database.sql(
        `CREATE FUNCTION pg_advisory_xact_lock(bigint) RETURNS void LANGUAGE plpgsql AS $$ BEGIN ${take} END $$`,
      )
      await database.sql(
        'CREATE FUNCTION pg_try_advisory_xact_lock(bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$',
      )
      const [row] = await database.sql<{ name: string }>('SELECT current_database() AS name')
      await database.sql(`ALTER DATABASE ${String(row?.name)} SET search_path = public, pg_catalog`)
    }

    const ENGINES = [
      { engine: 'that has no advisory locks', take: `RAISE EXCEPTION 'none' USING ERRCODE = '0A000';` },
      { engine: 'that does not know their names', take: `RAISE EXCEPTION 'none' USING ERRCODE = '42883';` },
      { engine: 'whose advisory locks hold nobody', take: '' },
    ]

    for (const { engine, take } of ENGINES) {
      it(`${engine}: lets one of five that start at once apply it, one after the other`, async () => {
        await replaceAdvisoryLocks(take)

        const applied = await fiveAtOnce()

        expect(applied.filter((names) => names.length > 0)).to.have.length(1)
        expect(await tables()).to.include('revocations')
      })
    }

    it('without advisory locks waits for who holds the row, and goes on when that one is dead', async () => {
      await replaceAdvisoryLocks('')
      await migrateUp(database.url)
      await takeAllBack()
      await database.sql(
        `UPDATE signoff_migrations_holder
         SET holder = gen_random_uuid(), expires_at = now() + interval '1.5 seconds'`,
      )
      const start = performance.now()

      const applied = await migrateUp(database.url)

      expect(performance.now() - start).to.be.above(1400)
      expect(applied).to.include(FIRST)
    })
  })

  describe('of a schema that a newer program has brought further', () => {
    const NEWER = '999-from-the-future'

    beforeEach(async () => {
      await migrateUp(database.url)
      await database.sql(
        `INSERT INTO signoff_migrations (name, batch, migration_time) VALUES ('${NEWER}', 99, now())`,
      )
    })

    it('tells what is newer, and leaves it as it is', async () => {
      const status = await schemaStatus(database.url)

      expect(await migrateUp(database.url)).to.deep.equal([])
      expect({ pending: status.pending, newer: status.newer }).to.deep.equal({ pending: [], newer: [NEWER] })
      expect(await schemaStatus(database.url)).to.deep.equal(status)
    })

    it('takes nothing back, and says whose it is', async () => {
      const failure = await migrateDown(database.url).catch((error: unknown) => String(error))

      expect(failure).to.contain(NEWER)
      expect((await schemaStatus(database.url)).newer).to.deep.equal([NEWER])
    })

    it('applies nothing where it lacks something as well', async () => {
      await database.sql(`DELETE FROM signoff_migrations WHERE name = '${FIRST}'`)

      const failure = await migrateUp(database.url).catch((error: unknown) => String(error))

      expect(failure).to.contain(NEWER).and.to.contain(FIRST)
    })
  })

  describe('schemaStatus', () => {
    const asRole = async (grants: string[]) => {
      const role = `reader_${Math.random().toString(36).slice(2)}`
      await database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'reader'`)
      for (const grant of grants) await database.sql(`${grant} TO ${role}`)
      const url = new URL(database.url)
      url.username = role
      url.password = 'reader'
      return url.href
    }

    it('can be asked by a role that may create nothing', async () => {
      const applied = await migrateUp(database.url)

      const url = await asRole(['GRANT SELECT ON ALL TABLES IN SCHEMA public'])

      expect(await schemaStatus(url)).to.deep.equal({ done: applied, pending: [], newer: [] })
    })

    it('rejects where the role may not look, and says what Postgres says', async () => {
      await migrateUp(database.url)

      const error = await schemaStatus(await asRole([])).catch((caught: unknown) => caught)

      expect(error).to.include({ code: 'failed' })
      expect((error as AuthError).cause).to.have.property(
        'message',
        'permission denied for table signoff_migrations',
      )
    })
  })

  it('waits for who migrates already', async () => {
    const locked = database.sql(
      'DO $$ BEGIN PERFORM pg_advisory_xact_lock(7133701809); PERFORM pg_sleep(1); END $$',
    )
    await new Promise((resolve) => setTimeout(resolve, 200))
    const start = performance.now()

    const applied = await migrateUp(database.url)
    await locked

    expect(performance.now() - start).to.be.above(600)
    expect(applied).to.include(FIRST)
  })

  it('takes everything back, and can apply it again', async () => {
    const applied = await migrateUp(database.url)

    for (let left = applied.length; left > 0; left--) await migrateDown(database.url)
    const empty = await tables()

    expect(empty).to.deep.equal([])
    expect(await migrateUp(database.url)).to.deep.equal(applied)
  })

  it('takes the newest back without a trace, and can apply it again', async () => {
    const newest = (await migrateUp(database.url)).slice(-1)

    const undone = await migrateDown(database.url)
    const again = await migrateUp(database.url)

    expect([undone, again]).to.deep.equal([newest, newest])
  })

  it('keeps the denial that lasts longest where an id was denied twice, and then refuses a second one', async () => {
    await migrateUp(database.url)
    while ((await schemaStatus(database.url)).done.includes(UNIQUE_DENIALS)) await migrateDown(database.url)
    for (const [id, hours] of [
      ['twice', 2],
      ['twice', 3],
      ['twice', 3],
      ['twice', 1],
      ['once', 1],
    ]) {
      await deny(id, hours)
    }

    await migrateUp(database.url)

    const left = await database.sql(
      `SELECT denied_id AS id, round(extract(epoch FROM expires_at - now()) / 3600)::int AS hours
       FROM revocations ORDER BY 1`,
    )
    expect(left).to.deep.equal([
      { id: 'once', hours: 1 },
      { id: 'twice', hours: 3 },
    ])
    expect(await deny('once', 1).catch((error: unknown) => String(error))).to.match(/duplicate key/)
  })

  it('gives each database an id of its own, and keeps it', async () => {
    const idOf = async (one: TestDatabase) =>
      (await one.sql<{ id: string }>('SELECT id FROM database_identity')).map(({ id }) => id)
    const other = await emptyDatabase()
    try {
      await Promise.all([migrateUp(database.url), migrateUp(other.url)])
      const ids = await Promise.all([idOf(database), idOf(other)])
      await migrateUp(database.url)

      expect(ids.flat()).to.have.length(2)
      expect(new Set(ids.flat()).size).to.equal(2)
      expect(await idOf(database)).to.deep.equal(ids[0])
    } finally {
      await other.drop()
    }
  })

  const deny = async (id: unknown, hours: unknown): Promise<object[]> =>
    await database.sql(
      `INSERT INTO revocations (denied_id, partition, reason, expires_at)
       VALUES ($1, '00', 'logout', now() + $2::float8 * interval '1 hour')`,
      [id, hours],
    )
})
