// The proofs as they stand in Redis: written and read again they say the same, and what is none of them says nothing.
import { expect } from 'chai'
import fc from 'fast-check'
import {
  journalNameOf,
  parsePosition,
  parseWatermark,
  positionText,
  watermarkText,
  type Position,
} from '../../../../src/store/redis/proof.ts'

const POSITION: Position = {
  relayedUpTo: 1_800_000_000_000,
  journalName: '0123456789abcdef',
  serverEpoch: '1799999999000000-00000001',
  instanceId: '7b0a7e4c-8f3c-4f0e-9d52-0c6f6a3f4b11',
  redisOffsetMs: -12,
  token: 'nonce1',
  isByAcks: false,
}

describe('the proofs in Redis', () => {
  describe('a watermark', () => {
    it('is the time, the journal and the instance', () => {
      const text = watermarkText(POSITION)

      expect(text).to.equal('1800000000000 0123456789abcdef 7b0a7e4c-8f3c-4f0e-9d52-0c6f6a3f4b11')
      const { relayedUpTo, journalName, instanceId } = POSITION
      expect(parseWatermark(text)).to.deep.equal({ relayedUpTo, journalName, instanceId })
    })

    it('is nothing where there is none, and where the text is no such thing', () => {
      const garbage = [
        '',
        ' ',
        'soon',
        '1000',
        '1000 name',
        '1000  ',
        '1000 name ',
        '-5 name id',
        '1.5 name id',
      ]
      for (const text of [
        null,
        ...garbage,
        '1e3 name id',
        ' 1000 name id',
        '1000 name id more',
        'NaN name id',
      ])
        expect(parseWatermark(text), String(text)).to.equal(null)
    })
  })

  describe('a position', () => {
    it('is all that its beliefs need, and its token', () => {
      const text = positionText(POSITION)

      expect(text.split(' ')).to.deep.equal([
        '1800000000000',
        '0123456789abcdef',
        '1799999999000000-00000001',
        '7b0a7e4c-8f3c-4f0e-9d52-0c6f6a3f4b11',
        '-12',
        'nonce1',
      ])
      expect(parsePosition(text)).to.deep.equal(POSITION)
    })

    it('has a mark where the watermark beside it stands by the word of all instances', () => {
      const byAcks = { ...POSITION, isByAcks: true }

      expect(positionText(byAcks)).to.equal(`${positionText(POSITION)} by-acks`)
      expect(parsePosition(positionText(byAcks))).to.deep.equal(byAcks)
    })

    it('is nothing where there is none, and where the text is no such thing', () => {
      const whole = positionText(POSITION)
      const cut = whole.split(' ').map((_, index, fields) => fields.slice(0, index).join(' '))
      const others = [
        '1000',
        'x'.repeat(100),
        whole.replace(/^\d+/, 'soon'),
        whole.replace(/^/, '-'),
        whole.replace(' -12 ', ' twelve '),
        whole.replace(' -12 ', ' 1.5 '),
        whole.replace(' -12 ', '  '),
        watermarkText(POSITION),
      ]
      for (const text of [null, ...cut, ...others]) expect(parsePosition(text), String(text)).to.equal(null)
    })

    it('comes back as it was, whatever it says', () => {
      const word = fc.stringMatching(/^[\w-]{1,40}$/)
      const position = fc.record({
        relayedUpTo: fc.maxSafeNat(),
        journalName: word,
        serverEpoch: word,
        instanceId: word,
        redisOffsetMs: fc.integer(),
        token: word,
        isByAcks: fc.boolean(),
      })

      fc.assert(
        fc.property(position, (one) => {
          expect(parsePosition(positionText(one))).to.deep.equal(one)
          const { relayedUpTo, journalName, instanceId } = one
          expect(parseWatermark(watermarkText(one))).to.deep.equal({ relayedUpTo, journalName, instanceId })
        }),
      )
    })

    it('is read, or not, from any text', () => {
      fc.assert(
        fc.property(fc.string(), (text) => {
          const read = [parsePosition(text), parseWatermark(text)]
          for (const proof of read) if (proof) expect(Number.isFinite(proof.relayedUpTo)).to.equal(true)
        }),
      )
    })
  })

  describe('the name of a journal', () => {
    it('is sixteen hex digits, the same for the same database and issuer, and another for any other', () => {
      const names = [
        journalNameOf('a', 'https://one.test'),
        journalNameOf('a', 'https://other.test'),
        journalNameOf('b', 'https://one.test'),
      ]

      for (const name of names) expect(name).to.match(/^[0-9a-f]{16}$/)
      expect(new Set(names).size).to.equal(3)
      expect(journalNameOf('a', 'https://one.test')).to.equal(names[0])
    })
  })
})
