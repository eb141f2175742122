// Which usernames are the same.
import { expect } from 'chai'
import fc from 'fast-check'
import { usernameKey, usernameKeys } from '../../../../src/auth/accounts/username-key.ts'

describe('usernameKey', () => {
  const same: [one: string, other: string, key: string][] = [
    ['Alice', 'aLICE', 'alice'],
    [' alice\u00a0', '\u3000alice\n', 'alice'],
    ['JOSÉ', 'jose\u0301', 'josé'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφος', 'σίσυφος'],
    ['ＡＬＩＣＥ＠ＥＸＡＭＰＬＥ．ＣＯＭ', 'alice@example.com', 'alice@example.com'],
    ['ｶﾞﾗﾊﾟｺﾞｽ', 'ガラパゴス', 'ガラパゴス'],
    ['a\u3000b', 'A b', 'a b'],
    // The small letter has a character of its own, the capital none: the order of the mappings counts.
    ['J\u030C', '\u01F0', '\u01F0'],
    // Kelvin and Ångström are canonically letters.
    ['\u212A\u212B', 'kå', 'kå'],
  ]
  for (const [one, other, key] of same) {
    it(`takes ${JSON.stringify(one)} for ${JSON.stringify(other)}`, () => {
      expect([usernameKey(one), usernameKey(other)]).to.deep.equal([key, key])
    })
  }

  it('keeps apart what only looks alike, or what another mapping would make the same', () => {
    const apart = [
      'alice',
      '\u0430lice',
      'ɑlice',
      'al1ce',
      'alíce',
      'ali-ce',
      'ali ce',
      'ﬁ',
      'fi',
      'straße',
      'strasse',
    ]

    expect(new Set(apart.map(usernameKey)).size).to.equal(apart.length)
  })

  it('has one key for spellings that are canonically equal, and maps each key to itself', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('J', 'j', '\u030C', '\u0301', 'ａ', 'ｶ', 'ﾞ', 'İ'),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      ),
    })

    fc.assert(
      fc.property(text, (name) => {
        const key = usernameKey(name)
        expect(usernameKey(name.normalize('NFD'))).to.equal(key)
        expect(usernameKey(name.normalize('NFC'))).to.equal(key)
        expect(usernameKey(key)).to.equal(key)
      }),
      { numRuns: 500 },
    )
  })
})

describe('usernameKeys', () => {
  it('has the key of before first, and its guesses on the counter of today', () => {
    expect(usernameKeys(' Ａlice')).to.deep.equal(['ａlice', 'alice'])
    expect(usernameKeys('Alice')).to.deep.equal(['alice', 'alice'])
  })

  it('counts guesses at one account together, however its name is spelt', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const [before, today] = usernameKeys(name)
        expect(usernameKey(before)).to.equal(today)
      }),
      { numRuns: 500 },
    )
  })
})
