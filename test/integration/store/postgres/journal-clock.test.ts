// The clock of the journal: which database and which server it is of, and whether logouts can stand on that.
import { expect } from 'chai'
import { Client } from 'pg'
import { journalReader, type JournalClock } from '../../../../src/store/postgres/journal-reader.ts'
import { postgres } from '../../../../src/store/postgres/postgres.ts'
import { postgresUnfitness } from '../../../../src/store/postgres/postgres-unfitness.ts'
import { recordingLog } from '../../../support/fakes/recording-log.ts'
import { eventually } from '../../../support/service/environment.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'
import { restartablePostgres, type RestartablePostgres } from '../../../support/servers/postgres.ts'

/** Read by a service that has just been started. */
async function clockAt(url: string): Promise<JournalClock> {
  const database = postgres({ url, log: recordingLog() })
  try {
    return await journalReader(database).clock()
  } finally {
    await database.close()
  }
}

describe('the clock of the journal', () => {
  let store: PostgresStoreSubject
  let other: Client

  beforeEach(async () => {
    store = await postgresStoreSubject()
    other = new Client({ connectionString: store.database.url })
    await other.connect()
  })
  afterEach(async () => {
    await other.end()
    await store.close()
  })

  it('names the database and the server, the same each time', async () => {
    const [row] = await store.database.sql<{ id: string }>('SELECT id::text FROM database_identity')

    const first = await store.journal.clock()
    const second = await store.journal.clock()

    expect(first.databaseId).to.equal(row?.id)
    expect(first.serverEpoch).to.match(/^\d{16}-[0-9A-F]{8}$/)
    expect([second.databaseId, second.serverEpoch]).to.deep.equal([first.databaseId, first.serverEpoch])
    expect(first.unfit).to.equal(null)
  })

  it('can be read by a role without rights of its own', async () => {
    const role = `plain_${String(Date.now())}`
    await store.database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'plain'`)
    try {
      await store.database.sql(`GRANT SELECT ON database_identity TO ${role}`)
      const url = new URL(store.database.url)
      url.username = role
      url.password = 'plain'

      const clock = await clockAt(url.href)

      const { databaseId, serverEpoch } = await store.journal.clock()
      expect(clock).to.deep.include({ databaseId, serverEpoch, unfit: null })
    } finally {
      await store.database.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })

  it('is read also while somebody has locked the journal altogether', async () => {
    await other.query('BEGIN')
    await other.query('LOCK TABLE revocations IN ACCESS EXCLUSIVE MODE')
    const untilLocked = await store.journal.clock()
    const reading = store.journal.readBatch(null, 1).catch((error: unknown) => error)

    const { nowMs, settledUpTo } = await store.journal.clock()

    expect(nowMs).to.be.at.least(untilLocked.nowMs)
    expect(settledUpTo).to.equal(nowMs)
    expect(await reading).to.have.property('code', 'unavailable')
  })

  it('is held up by no writer of another database that is a copy of this one', async () => {
    const copy = await postgresStoreSubject()
    const writer = new Client({ connectionString: copy.database.url })
    await writer.connect()
    try {
      await writer.query('BEGIN')
      await writer.query('LOCK TABLE revocations IN ROW EXCLUSIVE MODE')

      const { nowMs, settledUpTo } = await store.journal.clock()
      const ofTheCopy = await copy.journal.clock()

      expect(settledUpTo).to.equal(nowMs)
      expect(ofTheCopy.settledUpTo).to.be.below(ofTheCopy.nowMs)
    } finally {
      await writer.end()
      await copy.close()
    }
  })

  it('says what to do where a pooler has moved it to a session that commits too early', async () => {
    await store.postgres.query({
      name: 'test.weaken',
      text: `SELECT set_config('synchronous_commit', 'local', false)`,
    })

    expect((await store.journal.clock()).unfit).to.equal(
      'Postgres may lose what it has committed, which undoes logouts: set synchronous_commit to on (it is local)',
    )
  })

  it('is unavailable, with what to do, in a database without an id', async () => {
    await store.database.sql('DELETE FROM database_identity')

    const failure = await store.journal.clock().catch((error: unknown) => error)

    expect(failure).to.have.property('code', 'unavailable')
    expect(failure).to.have.nested.property('cause.message').that.contains('take back migration 005')
  })

  describe('of a server of its own', () => {
    let server: RestartablePostgres

    before(async () => {
      server = await restartablePostgres()
    })
    after(async () => {
      await server.remove()
    })

    it('has another epoch after each restart, and after the promotion of a standby that went on running', async () => {
      const clocks = [await clockAt(server.url())]
      await server.restart()
      clocks.push(await clockAt(server.url()))
      await server.restartAsStandby()
      await server.sql('SELECT pg_promote()')
      clocks.push(await clockAt(server.url()))

      const epochs = clocks.map(({ serverEpoch }) => serverEpoch)
      expect(new Set(epochs).size).to.equal(3)
      expect(epochs.map((epoch) => epoch.slice(-8))).to.deep.equal(['00000001', '00000001', '00000002'])
      expect(new Set(clocks.map(({ databaseId }) => databaseId)).size).to.equal(1)
    })

    for (const setting of ['fsync', 'full_page_writes']) {
      it(`says what to do about ${setting} = off, also to a service that is about to start`, async () => {
        const remedy = `Postgres may lose what it has committed, which undoes logouts: set ${setting} to on (it is off)`
        await server.sql(`ALTER SYSTEM SET ${setting} = off`)
        await server.sql('SELECT pg_reload_conf()')
        try {
          // The server takes a moment to take it up.
          await eventually(async () => (await clockAt(server.url())).unfit !== null)

          expect((await clockAt(server.url())).unfit).to.equal(remedy)
          expect(await postgresUnfitness(server.url())).to.equal(remedy)
        } finally {
          await server.sql(`ALTER SYSTEM RESET ${setting}`)
          await server.sql('SELECT pg_reload_conf()')
          await eventually(async () => (await clockAt(server.url())).unfit === null)
        }
        expect(await postgresUnfitness(server.url())).to.equal(null)
      })
    }
  })

  it('cannot be asked of a Postgres that is not there, and that is not passed over as fit', async () => {
    const failure = await postgresUnfitness('postgres://x:x@127.0.0.1:1/x').catch((error: unknown) => error)

    expect(failure).to.have.property('code', 'unavailable')
  })
})
