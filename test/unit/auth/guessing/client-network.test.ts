// What counts as one address.
import { expect } from 'chai'
import { networkOf, siteOf } from '../../../../src/auth/guessing/client-network.ts'

describe('networkOf', () => {
  const pairs: [string, string, string, boolean][] = [
    ['two addresses of one IPv6 /64', '2001:db8:1:2::1', '2001:DB8:1:2:ffff::2', true],
    ['two IPv6 /64', '2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['an IPv4 address and the same within IPv6', '192.0.2.1', '::ffff:192.0.2.1', true],
    ['two IPv4 addresses within IPv6', '::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['two IPv4 addresses', '192.0.2.1', '192.0.2.2', false],
    ['two texts that are no addresses', 'unknown', 'unix:', false],
    ['a text that is no address, twice', 'unknown', 'unknown', true],
  ]
  for (const [name, one, other, isOne] of pairs) {
    it(`takes ${name} for ${isOne ? 'one' : 'two'}`, () => {
      expect(networkOf(one) === networkOf(other)).to.equal(isOne)
    })
  }
})

describe('siteOf', () => {
  it('takes an IPv6 /48 for one, and tells two of them apart', () => {
    expect(siteOf('2001:db8:1:2::1')).to.equal(siteOf('2001:db8:1:ffff::1'))
    expect(siteOf('2001:db8:1::1')).not.to.equal(siteOf('2001:db8:2::1'))
  })

  it('leaves IPv4 addresses what they are', () => {
    expect(siteOf('192.0.2.1')).not.to.equal(siteOf('192.0.2.2'))
  })
})
