// Letting peers in: the right secret always, wrong ones counted by address.
import { expect } from 'chai'
import { authenticatePeer } from '../../../../src/auth/peers/authenticate-peer.ts'
import { addPeer } from '../../../../src/auth/peers/manage-peers.ts'
import type { PeerCredentials } from '../../../../src/auth/ports/peers.ts'
import { memoryStores, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

const CALLER = { ipAddress: '192.0.2.1', userAgent: null }
const WRONG = { clientId: 'shop', clientSecret: 'a guess' }

describe('authenticatePeer', () => {
  let stores: MemoryStores
  let shop: PeerCredentials

  beforeEach(async () => {
    stores = memoryStores()
    shop = await addPeer(stores, 'shop')
  })

  const authenticate = async (credentials: PeerCredentials): Promise<string> =>
    await authenticatePeer(stores, { credentials, caller: CALLER })

  it('resolves to the id of the peer, and counts nothing', async () => {
    expect(await authenticate(shop)).to.equal('shop')
    expect(stores.attempts.counts()).to.deep.equal({})
  })

  it('refuses an unknown peer and a wrong secret alike, and counts both', async () => {
    const refusals = [
      await refusalOf(authenticate(WRONG)),
      await refusalOf(authenticate({ ...shop, clientId: 'nobody' })),
    ]

    expect(refusals).to.deep.equal(['credentials_invalid', 'credentials_invalid'])
    expect(stores.attempts.counts()).to.deep.equal({ 'peer:192.0.2.1': 2 })
  })

  it('throttles wrong secrets, never the right one from the same address', async () => {
    for (let i = 0; i < 120; i += 1) await refusalOf(authenticate(WRONG))

    expect(await refusalOf(authenticate(WRONG))).to.equal('throttled')
    expect(await authenticate(shop)).to.equal('shop')
  })

  it('counts nothing where it cannot tell', async () => {
    stores.database.isAnswering = false

    expect(await refusalOf(authenticate(WRONG))).to.equal('unavailable')
    expect(stores.attempts.counts()).to.deep.equal({})
  })
})
