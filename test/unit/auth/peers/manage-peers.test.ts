// What an operator does to peers.
import { expect } from 'chai'
import { addPeer, removePeer } from '../../../../src/auth/peers/manage-peers.ts'
import { memoryStores, type MemoryStores } from '../../../support/fakes/memory-stores.ts'

const messageOf = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => 'resolved',
    (error: unknown) => (error as Error).message,
  )

describe('addPeer', () => {
  let stores: MemoryStores

  beforeEach(() => {
    stores = memoryStores()
  })

  it('makes a secret of 32 random bytes and keeps only its hash', async () => {
    const { clientId, clientSecret } = await addPeer(stores, 'shop')

    expect(clientId).to.equal('shop')
    expect(clientSecret).to.match(/^[\w-]{43}$/)
    const [stored] = stores.database.peers
    expect(stored?.secretHash).to.deep.equal(stores.peerSecrets.hash(clientSecret))
    expect(JSON.stringify(stores.database.peers)).to.not.contain(clientSecret)
    expect((await addPeer(stores, 'billing')).clientSecret).to.not.equal(clientSecret)
  })

  it('takes names that need no escaping anywhere, and says what they are like', async () => {
    for (const good of ['a', '0', 'shop.eu-west_1', 'a'.repeat(63)]) {
      expect(await messageOf(addPeer(stores, good)), good).to.equal('resolved')
    }
    for (const bad of ['', 'Shop', 'a b', '-a', '.a', 'a'.repeat(64), 'a:b', 'ä', 'a\n', 'a/b']) {
      expect(await messageOf(addPeer(stores, bad)), bad).to.contain('1 to 63 lowercase letters')
    }
  })

  it('refuses a name that is taken, and says how to change the secret', async () => {
    await addPeer(stores, 'shop')

    expect(await messageOf(addPeer(stores, 'shop'))).to.equal(
      'there is a peer shop already: remove it first to give it a new secret',
    )
  })

  it('refuses more than every instance can keep in mind', async () => {
    const secretHash = stores.peerSecrets.hash('x')
    stores.database.peers = Array.from({ length: 10_000 }, (_, i) => ({
      clientId: `peer-${i}`,
      secretHash,
      createdAt: new Date(),
    }))

    expect(await messageOf(addPeer(stores, 'one-more'))).to.equal('there are 10000 peers already')
  })
})

describe('removePeer', () => {
  it('removes it, and says when there is none', async () => {
    const stores = memoryStores()
    await addPeer(stores, 'shop')

    await removePeer(stores, 'shop')

    expect(stores.database.peers).to.deep.equal([])
    expect(await messageOf(removePeer(stores, 'shop'))).to.equal('there is no peer shop')
  })
})
