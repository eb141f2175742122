// Locks that expire, among several instances on one Postgres.
import { expect } from 'chai'
import { Client } from 'pg'
import { v4 as uuidv4 } from 'uuid'
import { locks, type Locks } from '../../../../src/store/postgres/locks.ts'
import { postgres } from '../../../../src/store/postgres/postgres.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'

describe('locks', () => {
  let store: PostgresStoreSubject

  beforeEach(async () => {
    store = await postgresStoreSubject()
  })
  afterEach(async () => {
    await store.close()
  })

  const instance = (id = uuidv4()): Locks => locks(store.postgres, id)
  const expire = async (): Promise<unknown> =>
    await store.database.sql(`UPDATE locks SET expires_at = now() - interval '1 millisecond'`)

  it('gives one of twenty that ask at once a lock that nobody ever had', async () => {
    // A row that is being made: each of them finds none, and none may make a second.
    const held = await whileBusy(`INSERT INTO locks (name, expires_at) VALUES ('relay', now())`)

    expect(held.filter(Boolean)).to.have.length(1)
  })

  it('gives one of twenty that ask at once a lock that has expired', async () => {
    await instance().hold('relay', 60)
    await expire()

    const held = await whileBusy('SELECT 1 FROM locks FOR UPDATE')

    expect(held.filter(Boolean)).to.have.length(1)
  })

  it('gives each name to somebody else', async () => {
    const [one, other] = [instance(), instance()]

    const held = [await one.hold('relay', 60), await other.hold('prune', 60)]

    expect(held).to.deep.equal([true, true])
  })

  it('renews it for its holder, from then on', async () => {
    const holder = instance()
    await holder.hold('relay', 1)

    const isHeld = await holder.hold('relay', 60)

    expect(isHeld).to.equal(true)
    const [row] = await store.database.sql<{ seconds: number }>(
      'SELECT extract(epoch FROM expires_at - now())::float8 AS seconds FROM locks',
    )
    expect(row?.seconds).to.be.within(50, 60)
  })

  it('tells its holder that it has lost it, once another one has taken it', async () => {
    const [hung, other] = [instance(), instance()]
    await hung.hold('relay', 60)
    await expire()
    await other.hold('relay', 60)

    const isHeld = await hung.hold('relay', 60)

    expect(isHeld).to.equal(false)
    expect(await other.hold('relay', 60)).to.equal(true)
  })

  it('frees it for the next one, and only where it is held', async () => {
    const [holder, other] = [instance(), instance()]
    await holder.hold('relay', 60)

    await other.release('relay')
    const whileHeld = await other.hold('relay', 60)
    await holder.release('relay')
    const afterwards = await other.hold('relay', 60)

    expect([whileHeld, afterwards]).to.deep.equal([false, true])
  })

  it('writes nothing while another one holds it', async () => {
    await instance().hold('relay', 60)
    const version = async () =>
      await store.database.sql('SELECT xmin::text, xmax::text, ctid::text FROM locks')
    const before = await version()

    await instance().hold('relay', 60)

    // A row that was locked, and not changed, shows that too.
    expect(await version()).to.deep.equal(before)
  })
  /** What twenty are told that ask for the lock `relay` while somebody is at its row, so that all of them meet there. */
  async function whileBusy(statement: string): Promise<boolean[]> {
    // Patient, on a machine that is busy too: each of them is to meet the others, and none to give up.
    const patient = postgres({ url: store.database.url, log: store.log, timeoutMs: 30_000 })
    const everyConnection = { name: 'warmUp', text: 'SELECT pg_sleep(0.1)' }
    await Promise.all(Array.from({ length: 20 }, async () => await patient.query(everyConnection)))
    const busy = new Client({ connectionString: store.database.url })
    await busy.connect()
    await busy.query('BEGIN')
    await busy.query(statement)
    const asking = Promise.all(
      Array.from({ length: 20 }, async () => await locks(patient, uuidv4()).hold('relay', 60)),
    )
    await new Promise((resolve) => setTimeout(resolve, 60))
    await busy.query('COMMIT')
    await busy.end()
    try {
      return await asking
    } finally {
      await patient.close()
    }
  }
})
