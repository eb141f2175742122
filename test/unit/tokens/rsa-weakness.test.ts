// RSA keys with which anybody could sign are told from those with which nobody can.
import { expect } from 'chai'
import { problemOfRsaKey } from '../../../src/tokens/rsa-weakness.ts'
import {
  closePrimesModulus,
  goodModulus,
  rocaModulus,
  rsaJwk,
  smallFactorModulus,
} from '../../support/builders/weak-rsa-keys.ts'

describe('problemOfRsaKey', () => {
  const good = goodModulus()

  it('finds nothing in keys as they are made today', () => {
    const keys = [good, goodModulus(), goodModulus(3072), goodModulus(2049)].map((n) => rsaJwk(n))

    expect(keys.map(problemOfRsaKey)).to.deep.equal([null, null, null, null])
    expect(problemOfRsaKey(rsaJwk(good, 2n ** 255n + 1n))).to.equal(null)
  })

  it('takes no key of fewer than 2048 bits, or of more than 16384', () => {
    expect(problemOfRsaKey(rsaJwk(goodModulus(1024)))).to.equal(
      'an RSA key of at least 2048 bits is expected',
    )
    expect(problemOfRsaKey(rsaJwk(good >> 1n))).to.equal('an RSA key of at least 2048 bits is expected')
    expect(problemOfRsaKey(rsaJwk(1n << 16_384n))).to.equal('an RSA key of at most 16384 bits is expected')
  })

  for (const e of [1n, 2n, 3n, 17n, 65_535n, 65_536n, 65_538n, 2n ** 256n + 1n]) {
    it(`takes no exponent ${e > 1_000_000n ? 'beyond 256 bits' : e}`, () => {
      expect(problemOfRsaKey(rsaJwk(good, e))).to.equal(
        'an RSA key whose e is odd and at least 65537 is expected',
      )
    })
  }

  for (const factor of [2n, 3n, 751n]) {
    it(`finds the factor ${factor}`, () => {
      expect(problemOfRsaKey(rsaJwk(smallFactorModulus(factor)))).to.match(/its n has a small factor$/)
    })
  }

  it('finds two factors that are close together, and a square', () => {
    const close = closePrimesModulus()

    expect(problemOfRsaKey(rsaJwk(close))).to.match(/the factors of its n are close together$/)
    expect(problemOfRsaKey(rsaJwk((1n << 2047n) + 1n))).to.not.match(/close together/)
  })

  it('finds keys of the library with the flaw called ROCA', () => {
    for (const n of [rocaModulus(), rocaModulus()]) {
      expect(problemOfRsaKey(rsaJwk(n))).to.match(/\(ROCA, CVE-2017-15361\)$/)
    }
  })

  for (const [what, key] of Object.entries({
    'no n': { e: 'AQAB' },
    'no e': { n: 'AQAB' },
    'an n that is a number': { n: 5, e: 'AQAB' },
    'an n that is no base64url': { n: 'a+b=', e: 'AQAB' },
    'an n of zeros': { n: 'AAAA', e: 'AQAB' },
    'an empty e': { n: rsaJwk(good).n, e: '' },
  })) {
    it(`takes no key with ${what}`, () => {
      expect(problemOfRsaKey(key)).to.equal('an RSA key with n and e is expected')
    })
  }
})
