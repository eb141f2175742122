// What every store must keep of peers.
import { expect } from 'chai'
import { CLOCK_TOLERANCE_MS, type CreateStore, type StoreSubject } from './store-subject.ts'

export function peersConformance(name: string, create: CreateStore): void {
  describe(`${name} as Peers`, () => {
    let store: StoreSubject

    beforeEach(async () => {
      store = await create()
    })
    afterEach(async () => {
      await store.close()
    })

    const hashOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
    const listed = async () =>
      (await store.peers.list()).map(({ clientId, secretHash }) => [clientId, secretHash[0]])

    it('lists nobody at first', async () => {
      expect(await store.peers.list()).to.deep.equal([])
    })

    it('lists by name whom it was given, with every byte of the hash and the time', async () => {
      const hash = Uint8Array.from({ length: 32 }, (_, i) => i * 8)
      await store.peers.add({ clientId: 'shop', secretHash: hash })
      await store.peers.add({ clientId: 'billing', secretHash: hashOf(1) })

      const [billing, shop] = await store.peers.list()

      expect(billing?.clientId).to.equal('billing')
      expect(shop?.clientId).to.equal('shop')
      expect([...(shop?.secretHash ?? [])]).to.deep.equal([...hash])
      expect(shop?.createdAt.getTime()).to.be.closeTo(store.nowMs(), CLOCK_TOLERANCE_MS)
    })

    it('refuses a name that is taken, and keeps the secret it has', async () => {
      const first = await store.peers.add({ clientId: 'shop', secretHash: hashOf(1) })
      const second = await store.peers.add({ clientId: 'shop', secretHash: hashOf(2) })

      expect([first, second]).to.deep.equal([true, false])
      expect(await listed()).to.deep.equal([['shop', 1]])
    })

    it('lets one of ten who add the same name at once win', async () => {
      const added = await Promise.all(
        Array.from(
          { length: 10 },
          async (_, i) => await store.peers.add({ clientId: 'shop', secretHash: hashOf(i) }),
        ),
      )

      expect(added.filter(Boolean)).to.have.length(1)
      expect(await listed()).to.deep.equal([['shop', added.indexOf(true)]])
    })

    it('removes one and no other, and says whether there was one', async () => {
      await store.peers.add({ clientId: 'shop', secretHash: hashOf(1) })
      await store.peers.add({ clientId: 'shop2', secretHash: hashOf(2) })

      const removed = await store.peers.remove('shop')
      const again = await store.peers.remove('shop')

      expect([removed, again]).to.deep.equal([true, false])
      expect(await listed()).to.deep.equal([['shop2', 2]])
    })

    it('takes a name again once it was removed', async () => {
      await store.peers.add({ clientId: 'shop', secretHash: hashOf(1) })
      await store.peers.remove('shop')

      expect(await store.peers.add({ clientId: 'shop', secretHash: hashOf(2) })).to.equal(true)
      expect(await listed()).to.deep.equal([['shop', 2]])
    })
  })
}
