// Which instances are there, as each of them sees it.
import { expect } from 'chai'
import { v4 as uuidv4 } from 'uuid'
import { instances } from '../../../../src/store/postgres/instances.ts'
import { postgresStoreSubject, type PostgresStoreSubject } from '../../../support/postgres-store-subject.ts'

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

  it('names this one and all that were seen in the last ten seconds', async () => {
    const [first, second, gone] = [uuidv4(), uuidv4(), uuidv4()]
    for (const id of [first, gone]) await instance(id).present()
    await seen(first, 9)
    await seen(gone, 11)

    const present = await instance(second).present()

    expect(present).to.have.members([first, second])
  })

  it('names one that was away as soon as it is back, and once', async () => {
    const id = uuidv4()
    await instance(id).present()
    await seen(id, 3600)

    const atItself = await instance(id).present()
    const again = await instance(id).present()

    expect(atItself).to.deep.equal([id])
    expect(again).to.deep.equal([id])
  })

  it('names one no longer that has left', async () => {
    const [leaving, staying] = [uuidv4(), uuidv4()]
    await instance(leaving).present()

    await instance(leaving).leave()

    expect(await instance(staying).present()).to.deep.equal([staying])
  })

  it('keeps its name for people to read', async () => {
    await instance(uuidv4()).present()

    expect(await store.database.sql('SELECT name FROM instances')).to.deep.equal([{ name: 'host:1' }])
  })
})
