// Text as the value of a header.
import { validateHeaderValue } from 'node:http'
import { expect } from 'chai'
import fc from 'fast-check'
import { headerText } from '../../../../src/http/peers/header-text.ts'

describe('headerText', () => {
  it('leaves visible ASCII as it is, and spaces within', () => {
    for (const text of ['user', 'admin', 'read:all write:own', 'a"b\\c;d,e', '']) {
      expect(headerText(text)).to.equal(text)
    }
  })

  it('encodes what could break out, what cannot be sent, and what would be lost on the way', () => {
    expect(headerText('a\r\nX-Auth-User: b')).to.equal('a%0D%0AX-Auth-User: b')
    expect(headerText('héros')).to.equal('h%C3%A9ros')
    expect(headerText('管理')).to.equal('%E7%AE%A1%E7%90%86')
    expect(headerText('\0\t\x7f')).to.equal('%00%09%7F')
    expect(headerText(' admin ')).to.equal('%20admin%20')
    expect(headerText('%41')).to.equal('%2541')
    expect(headerText('\ud800')).to.equal('%EF%BF%BD')
  })

  it('is a value that HTTP carries unaltered, another one for every text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const value = headerText(text)

        validateHeaderValue('X-Auth-Role', value)
        expect(value.trim()).to.equal(value)
        expect(decodeURIComponent(value)).to.equal(text)
      }),
    )
  })
})
