// Which instances are there, as each of them sees it.
import { expect } from 'chai'
import { v4 as uuidv4 } from 'uuid'
import { instances, type ListedInstance } from '../../../../src/store/postgres/instances.ts'
import type { Postgres } from '../../../../src/store/postgres/postgres.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'

describe('instances', () => {
  let store: PostgresStoreSubject

  beforeEach(async () => {
    store = await postgresStoreSubject()
  })
  afterEach(async () => {
    await store.close()
  })

  const instance = (id: string) => instances(store.postgres, { id, name: 'host:1' })
  const seen = async (id: string, secondsAgo: number): Promise<unknown> =>
    await store.database.sql(
      `UPDATE instances SET seen_at = now() - $2::float8 * interval '1 second' WHERE id = $1`,
      [id, secondsAgo],
    )

  const namedBy = async (id: string): Promise<Record<string, boolean>> =>
    Object.fromEntries((await instance(id).present()).map((listed) => [listed.id, listed.isPresent]))

  it('names this one and all that the database knows, and says which were seen in the last ten seconds', async () => {
    const [first, second, gone] = [uuidv4(), uuidv4(), uuidv4()]
    for (const id of [first, gone]) await instance(id).present()
    await seen(first, 9)
    await seen(gone, 11)

    expect(await namedBy(second)).to.deep.equal({ [first]: true, [second]: true, [gone]: false })
  })

  it('tells commands from instances', async () => {
    const [one, command] = [uuidv4(), uuidv4()]
    await instances(store.postgres, { id: command, name: 'host:2', isCommand: true }).present()

    const listed = await instance(one).present()

    expect(Object.fromEntries(listed.map(({ id, isCommand }) => [id, isCommand]))).to.deep.equal({
      [one]: false,
      [command]: true,
    })
  })

  it('names one that was away as soon as it is back, and once', async () => {
    const id = uuidv4()
    await instance(id).present()
    await seen(id, 3600)

    const atItself = await instance(id).present()
    const again = await instance(id).present()

    for (const listed of [atItself, again]) {
      expect(listed.map((one) => [one.id, one.isPresent])).to.deep.equal([[id, true]])
    }
  })

  it('says when each was seen: this one no earlier than the clock that it has read', async () => {
    const [one, other] = [uuidv4(), uuidv4()]
    await instance(other).present()
    await seen(other, 60)
    const { nowMs } = await store.journal.clock()

    const listed = await instance(one).present()

    const seenAt = Object.fromEntries(listed.map(({ id, seenAtMs }) => [id, seenAtMs]))
    const after = await store.journal.clock()
    expect(seenAt[one]).to.be.within(nowMs, after.nowMs)
    expect(seenAt[other]).to.be.within(nowMs - 120_000, nowMs - 59_000)
  })

  it('keeps one on the list that has left, and says that it is gone until it is back', async () => {
    const [leaving, staying] = [uuidv4(), uuidv4()]
    await instance(leaving).present()

    await instance(leaving).leave()
    const whileGone = await namedBy(staying)
    await instance(leaving).present()

    expect(whileGone).to.deep.equal({ [leaving]: false, [staying]: true })
    expect(await namedBy(staying)).to.deep.equal({ [leaving]: true, [staying]: true })
  })

  it('is gone for good, however late what it said of itself before reaches the database', async () => {
    const [leaving, staying] = [uuidv4(), uuidv4()]
    const delayed: (() => void)[] = []
    const query: Postgres['query'] = async (statement, values) => {
      if (statement.name === 'instances.present') await new Promise<void>((resolve) => delayed.push(resolve))
      return await store.postgres.query(statement, values)
    }
    const self = instances({ ...store.postgres, query }, { id: leaving, name: 'host:1' })

    const saying = self.present()
    const gone = self.leave()
    // A leave that does not wait for it has reached the database by then.
    await instance(staying).present()
    for (const resolve of delayed) resolve()
    await Promise.all([saying, gone])

    expect(await namedBy(staying)).to.deep.equal({ [leaving]: false, [staying]: true })
  })

  it('names the two hundred that were seen last, this one among them', async () => {
    await store.database.sql(
      `INSERT INTO instances (id, name, seen_at)
       SELECT gen_random_uuid(), n::text, now() - n * interval '1 second' FROM generate_series(1, 250) AS n`,
    )
    const id = uuidv4()

    const listed = await instance(id).present()

    const names = await store.database.sql<{ name: string }>(
      `SELECT name FROM instances WHERE id = ANY($1::uuid[]) ORDER BY seen_at DESC`,
      [listed.map((one) => one.id)],
    )
    const newest = Array.from({ length: 199 }, (_, index) => String(index + 1))
    expect(names.map(({ name }) => name)).to.deep.equal(['host:1', ...newest])
    expect(listed.map((one) => one.id)).to.include(id)
  })

  describe('and their settings', () => {
    const settled = (id: string, settings: () => string | null) =>
      instances(store.postgres, { id, name: `host:${id}`, settings })
    const settingsBy = async (reader: { present: () => Promise<ListedInstance[]> }) =>
      Object.fromEntries((await reader.present()).map(({ id, settings }) => [id, settings]))

    it('lists what each says of its settings, and nothing of one that says nothing', async () => {
      const [one, other, command] = [uuidv4(), uuidv4(), uuidv4()]
      await settled(one, () => 'a').present()
      await instance(command).present()

      expect(await settingsBy(settled(other, () => 'b'))).to.deep.equal({
        [one]: 'a',
        [other]: 'b',
        [command]: null,
      })
    })

    it('lists the settings of none that is gone', async () => {
      const [gone, left, reader] = [uuidv4(), uuidv4(), uuidv4()]
      for (const id of [gone, left]) await settled(id, () => 'a').present()
      await seen(gone, 11)
      await instance(left).leave()

      expect(await settingsBy(instance(reader))).to.deep.equal({ [gone]: null, [left]: null, [reader]: null })
    })

    it('writes them when they change, and not otherwise', async () => {
      const written: unknown[] = []
      const recording: typeof store.postgres = {
        ...store.postgres,
        query: async (statement, values) => {
          written.push(values?.[2])
          return await store.postgres.query(statement, values)
        },
      }
      let settings = 'a'
      const [id, name] = [uuidv4(), 'host:1']
      const self = instances(recording, { id, name, settings: () => settings })

      for (const now of ['a', 'a', 'b', 'b', 'b']) {
        settings = now
        await self.present()
      }

      expect(written).to.deep.equal(['a', null, 'b', null, null])
      expect(await settingsBy(self)).to.deep.equal({ [id]: 'b' })
    })

    it('writes them again where the database has lost them', async () => {
      const id = uuidv4()
      const self = settled(id, () => 'a')
      await self.present()
      await store.database.sql('DELETE FROM instances')

      await self.present()

      expect(await settingsBy(self)).to.deep.equal({ [id]: 'a' })
    })

    it('leaves alone what stands there where an instance of the version before says that it is there', async () => {
      const id = uuidv4()
      await settled(id, () => 'a').present()
      await store.database.sql(
        `INSERT INTO instances (id, name, seen_at) VALUES ($1, 'old', now())
         ON CONFLICT (id) DO UPDATE SET seen_at = EXCLUDED.seen_at, left_at = NULL`,
        [id],
      )

      expect(await settingsBy(settled(id, () => 'a'))).to.deep.equal({ [id]: 'a' })
    })
  })

  it('keeps its name for people to read', async () => {
    await instance(uuidv4()).present()

    expect(await store.database.sql('SELECT name FROM instances')).to.deep.equal([{ name: 'host:1' }])
  })
})
