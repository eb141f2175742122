// The text that names a foreign token: one for each token, and for no two the same.
import { expect } from 'chai'
import fc from 'fast-check'
import { foreignTokenIdInput } from '../../../src/contract/foreign-token-id.ts'

const text = () => fc.string({ unit: 'grapheme' })
/** Texts that could be mistaken for others when they are only joined. */
const tricky = () => fc.oneof(text(), fc.stringMatching(/^[0-9:.a]{0,6}$/))
const named = (iss: string | undefined, jti: unknown) =>
  foreignTokenIdInput({ iss, jti, signingInput: 'eyJhIjoxfQ.eyJiIjoyfQ' })

describe('foreignTokenIdInput', () => {
  it('counts the bytes of the issuer, not its letters', () => {
    expect(named('https://münchen.example', '7')).to.equal('24:https://münchen.example:7')
  })

  it('is the same whatever the header, where there is a jti', () => {
    fc.assert(
      fc.property(text(), text(), (one, other) => {
        const parts = { iss: 'a', jti: 'b' }

        expect(foreignTokenIdInput({ ...parts, signingInput: one })).to.equal(
          foreignTokenIdInput({ ...parts, signingInput: other }),
        )
      }),
    )
  })

  it('differs wherever iss or jti differ', () => {
    const pair = fc.record({ iss: tricky(), jti: tricky() })

    fc.assert(
      fc.property(pair, pair, (one, other) => {
        fc.pre(one.jti !== '' && other.jti !== '' && (one.iss !== other.iss || one.jti !== other.jti))

        expect(named(one.iss, one.jti)).not.to.equal(named(other.iss, other.jti))
      }),
      { numRuns: 1000 },
    )
  })

  it('takes a missing issuer for an empty one', () => {
    expect(named(undefined, 'x')).to.equal('0::x')
    expect(named('', 'x')).to.equal('0::x')
  })

  for (const jti of [undefined, null, '', 7, true, ['x'], { x: 1 }] as unknown[]) {
    it(`is the signing input when jti is ${JSON.stringify(jti)}`, () => {
      expect(named('https://login.example.com', jti)).to.equal('eyJhIjoxfQ.eyJiIjoyfQ')
    })
  }
})
