// The keys that service and peers agree on, byte by byte: another spelling would be another denylist.
import { expect } from 'chai'
import fc from 'fast-check'
import {
  denialKey,
  partitionOf,
  PARTITIONS,
  tokenId,
  watermarkKey,
} from '../../../src/contract/denylist-keys.ts'

const SID = '01890a5d-ac96-774b-bcce-b302099a8057'
const JTI = '9b2e1c1e-5d0f-4d8e-9a44-6a8f2a3b4cfe'
const FOREIGN = `${'0'.repeat(62)}ab`

describe('the keys of the denylist', () => {
  it('are these', () => {
    expect(denialKey(SID)).to.equal(`denylist:{57}:${SID}`)
    expect(denialKey(tokenId(SID, JTI))).to.equal(`denylist:{57}:${SID}:${JTI}`)
    expect(denialKey(FOREIGN)).to.equal(`denylist:{ab}:${FOREIGN}`)
    expect(watermarkKey('57')).to.equal('denylist:{57}:synced')
  })

  it('have 256 partitions, 00 to ff', () => {
    expect(PARTITIONS).to.have.length(256)
    expect([PARTITIONS[0], PARTITIONS[9], PARTITIONS[10], PARTITIONS[255]]).to.deep.equal([
      '00',
      '09',
      '0a',
      'ff',
    ])
    expect(new Set(PARTITIONS).size).to.equal(256)
  })

  it('keep all keys of one check in one partition, for every session and token', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), (sid, jti) => {
        const hashTags = [denialKey(sid), denialKey(tokenId(sid, jti)), watermarkKey(partitionOf(sid))].map(
          (key) => /\{(.*?)\}/.exec(key)?.[1],
        )

        expect(new Set(hashTags)).to.deep.equal(new Set([sid.slice(-2)]))
        expect(PARTITIONS).to.include(hashTags[0])
      }),
    )
  })

  it('are different for different sessions and tokens', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.uuid(), { minLength: 4, maxLength: 4 }), (ids) => {
        const [a = '', b = '', c = '', d = ''] = ids
        const denied = [a, b, tokenId(a, c), tokenId(a, d), tokenId(b, c), tokenId(c, a)]

        expect(new Set(denied.map(denialKey)).size).to.equal(denied.length)
      }),
    )
  })

  it('are never a watermark, whatever is denied', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        expect(PARTITIONS.map(watermarkKey)).not.to.include(denialKey(id))
      }),
      { numRuns: 20 },
    )
  })
})
