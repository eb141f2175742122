// The rules for a new username.
import { expect } from 'chai'
import fc from 'fast-check'
import { AuthError } from '../../../../src/auth/errors.ts'
import { checkUsername } from '../../../../src/auth/accounts/username-rules.ts'

const LENGTH = 'A username has 1 to 150 characters.'
const CONTROL = 'A username has no control characters.'
const ENDS = 'A username has no space at its ends.'
const MIXED = 'A username has no word with letters of two of Latin, Cyrillic and Greek.'
const DIRECTION = 'A username is written in one direction, and with digits of one kind.'
const strange = (...names: string[]): string =>
  `A username has only letters, digits and the signs of ASCII, and not ${names.join(', ')}.`

function reasonsFor(username: string): readonly string[] {
  try {
    checkUsername(username)
    return []
  } catch (error) {
    if (!(error instanceof AuthError && error.code === 'username_invalid')) throw error
    return error.reasons
  }
}

describe('checkUsername', () => {
  const good = [
    ...['a', 'a b', 'alice@example.com', 'alice+shop@mail.example.com', 'o.brien_99', "o'brien", '#1!'],
    ...['ä'.repeat(150), 'Jose\u0301', 'ΣΊΣΥΦΟΣ', 'straße', 'Иван', 'иван@example.com', 'İpek', 'Nguyễn'],
    ...[
      '李小龙',
      '田中ヴ',
      '〇〇',
      'ガラパゴス',
      'ｶﾞﾗﾊﾟｺﾞｽ',
      'ａｌｉｃｅ＠ｅｘａｍｐｌｅ．ｃｏｍ',
      '김민준',
      'देवी',
      'ไทย',
    ],
    ...['דוד', 'דוד2', 'محمد', 'محمد٢', 'col·lega', '\u0375α', 'ג׳', 'ジョン・スミス'],
  ]
  for (const username of good) {
    it(`passes ${username.slice(0, 30)}`, () => {
      expect(reasonsFor(username)).to.deep.equal([])
    })
  }

  it('passes every name of printable ASCII that it ever passed', () => {
    const printable = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    })

    fc.assert(
      fc.property(printable, (text) => {
        const username = text.trim().slice(0, 150).trim()
        expect(reasonsFor(username)).to.deep.equal(username === '' ? [LENGTH] : [])
      }),
    )
  })

  const bad = [
    { what: 'that is empty', username: '', reasons: [LENGTH] },
    { what: 'with 151 characters', username: 'a'.repeat(151), reasons: [LENGTH] },
    { what: 'with a space before it', username: ' alice', reasons: [ENDS] },
    { what: 'with a space beyond ASCII after it', username: 'alice\u00a0', reasons: [ENDS] },
    { what: 'with a NUL', username: 'ali\0ce', reasons: [CONTROL] },
    { what: 'with a line break', username: 'ali\nce', reasons: [CONTROL] },
    { what: 'with a control character beyond ASCII', username: 'ali\u0085ce', reasons: [CONTROL] },
    { what: 'with half a character', username: 'ali\ud83dce', reasons: [CONTROL] },
    { what: 'with all of it', username: `\t${'a'.repeat(150)}`, reasons: [LENGTH, CONTROL, ENDS] },

    { what: 'of a thousand strange characters', username: '\u200b'.repeat(1000), reasons: [LENGTH] },

    { what: 'with a zero-width space', username: 'ali\u200bce', reasons: [strange('U+200B')] },
    { what: 'with joiners', username: 'ali\u200c\u200dce', reasons: [strange('U+200C', 'U+200D')] },
    { what: 'with a soft hyphen', username: 'ali\u00adce', reasons: [strange('U+00AD')] },
    { what: 'with a word joiner', username: 'alice\u2060', reasons: [strange('U+2060')] },
    { what: 'that turns the direction', username: 'a\u202ecila', reasons: [strange('U+202E')] },
    { what: 'with an invisible mark', username: 'a\u034flice', reasons: [strange('U+034F')] },
    { what: 'with a variation selector', username: 'alice\ufe0f', reasons: [strange('U+FE0F')] },
    { what: 'with a filler', username: 'alice\u3164', reasons: [strange('U+3164')] },
    { what: 'with a tag', username: 'alice\u{e0061}', reasons: [strange('U+E0061')] },
    { what: 'with a character of private use', username: 'alice\ue000', reasons: [strange('U+E000')] },
    { what: 'with one of a private plane', username: 'alice\u{10fffd}', reasons: [strange('U+10FFFD')] },
    { what: 'with an unassigned character', username: 'alice\u0378', reasons: [strange('U+0378')] },
    { what: 'with what is no character', username: 'alice\uffff', reasons: [strange('U+FFFF')] },
    { what: 'with a space beyond ASCII in it', username: 'a\u2003b', reasons: [strange('U+2003')] },
    { what: 'with a line separator', username: 'a\u2028b', reasons: [strange('U+2028')] },
    { what: 'with a symbol', username: '😀♥', reasons: [strange('U+1F600', 'U+2665')] },
    { what: 'with punctuation beyond ASCII', username: 'a–b', reasons: [strange('U+2013')] },
    { what: 'with a ligature', username: 'ﬁona', reasons: [strange('U+FB01')] },
    { what: 'with a letter of mathematics', username: '𝐚lice', reasons: [strange('U+1D41A')] },
    { what: 'with a small letter above', username: 'ªlice', reasons: [strange('U+00AA')] },
    { what: 'with the sign for micro', username: 'µ', reasons: [strange('U+00B5')] },
    { what: 'with a Roman numeral', username: 'Ⅳ', reasons: [strange('U+2173')] },
    { what: 'with a Jamo alone', username: 'ᄀ', reasons: [strange('U+1100')] },
    { what: 'with halfwidth Hangul', username: 'ﾡ', reasons: [strange('U+FFA1')] },
    { what: 'with a fullwidth macron', username: 'a\uffe3', reasons: [strange('U+FFE3')] },
    { what: 'with a tatweel', username: 'محمـد', reasons: [strange('U+0640')] },
    { what: 'with a middle dot that parts no l from l', username: 'a·b', reasons: [strange('U+00B7')] },
    { what: 'with a dot of Katakana alone', username: 'a・b', reasons: [strange('U+30FB')] },
    { what: 'with a geresh alone', username: 'a׳', reasons: [strange('U+05F3')] },
    {
      what: 'with more of them than anybody would read',
      username: '①②③④⑤⑥',
      reasons: [strange('U+2460', 'U+2461', 'U+2462', 'U+2463', 'U+2464 …')],
    },

    { what: 'with a Cyrillic letter in a Latin word', username: '\u0430lice', reasons: [MIXED] },
    { what: 'with a Greek letter in a Latin word', username: 'alic\u03b5', reasons: [MIXED] },
    { what: 'with a Latin letter in a Cyrillic word', username: 'Иvан', reasons: [MIXED] },
    { what: 'with such a word in an address', username: 'bob@ex\u0430mple.com', reasons: [MIXED] },

    { what: 'of two directions', username: 'דוד.alice', reasons: [DIRECTION] },
    { what: 'from right to left that begins with a digit', username: '1דוד', reasons: [DIRECTION] },
    { what: 'from right to left that ends with a sign', username: 'דוד-', reasons: [DIRECTION] },
    { what: 'from right to left with digits of two kinds', username: 'محمد1٢', reasons: [DIRECTION] },
  ]
  for (const { what, username, reasons } of bad) {
    it(`refuses a name ${what}, with every reason`, () => {
      expect(reasonsFor(username)).to.deep.equal(reasons)
    })
  }

  it('passes or refuses whatever text comes, and does nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(reasonsFor(text)).to.be.an('array')
      }),
    )
  })
})
