// The rules for a new password, at the limits and beyond.
import { expect } from 'chai'
import { AuthError } from '../../../../src/auth/errors.ts'
import {
  checkPassword,
  MAX_PASSWORD_BYTES,
  passwordProblems,
} from '../../../../src/auth/accounts/password-rules.ts'

const SHORT = 'The password is shorter than 8 characters.'
const LONG = 'The password is longer than 4096 bytes.'
const BLANK = 'The password is nothing but spaces.'
const NUL = 'The password has a NUL character.'
const HALF = 'The password has half of a character.'
const USERNAME = 'The password is the same as the username.'
const COMMON = 'The password is among the 10,000 most common ones.'

const isCommon = (password: string): boolean => ['12345678', 'qwerty'].includes(password)
const problemsOf = (password: string, username = 'alice'): string[] =>
  passwordProblems({ username, password }, isCommon)

/** The code and the reasons; `null` when nothing is thrown. */
const refusalBy = (work: () => void): Pick<AuthError, 'code' | 'reasons'> | null => {
  try {
    work()
    return null
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    return { code: error.code, reasons: error.reasons }
  }
}

describe('passwordProblems', () => {
  const good = [
    { what: '8 characters', password: 'hfu3bX8q' },
    { what: '8 characters beyond the basic plane', password: '😀'.repeat(8) },
    { what: '4096 bytes', password: 'ä'.repeat(MAX_PASSWORD_BYTES / 2) },
    { what: 'spaces at its ends', password: ' padded ' },
    { what: 'the username inside', password: 'alice in wonderland' },
  ]
  for (const { what, password } of good) {
    it(`finds none in a password with ${what}`, () => {
      expect(problemsOf(password)).to.deep.equal([])
    })
  }

  const bad = [
    { what: 'with 7 characters', password: 'hfu3bX8', problems: [SHORT] },
    { what: 'with 7 characters of two code units', password: '😀'.repeat(7), problems: [SHORT] },
    { what: 'with 4097 bytes', password: 'a'.repeat(MAX_PASSWORD_BYTES + 1), problems: [LONG] },
    { what: 'with 4098 bytes in fewer characters', password: 'ä'.repeat(2049), problems: [LONG] },
    { what: 'of spaces', password: ' '.repeat(8), problems: [BLANK] },
    { what: 'of spaces beyond ASCII', password: '\u00a0\u2003'.repeat(4), problems: [BLANK] },
    { what: 'with a NUL', password: 'long enough\0', problems: [NUL] },
    { what: 'with half a character', password: 'long enough \ud83d', problems: [HALF] },
    { what: 'that is common', password: '12345678', problems: [COMMON] },
    { what: 'that is empty', password: '', problems: [SHORT, BLANK] },
    { what: 'that is short and common', password: 'qwerty', problems: [SHORT, COMMON] },
  ]
  for (const { what, password, problems } of bad) {
    it(`finds all in a password ${what}`, () => {
      expect(problemsOf(password)).to.deep.equal(problems)
    })
  }

  const namesakes = [
    { what: 'letter for letter', username: 'alexandra', password: 'alexandra' },
    { what: 'in another case', username: 'Alexandra', password: 'aLEXANDRA' },
    { what: 'with spaces around', username: 'alexandra', password: ' alexandra ' },
    { what: 'in fullwidth letters', username: 'alexandra', password: 'ａｌｅｘａｎｄｒａ' },
    { what: 'with its accents apart', username: 'ren\u00e9-dupont', password: 'rene\u0301-dupont' },
  ]
  for (const { what, username, password } of namesakes) {
    it(`finds the username in the password, ${what}`, () => {
      expect(problemsOf(password, username)).to.deep.equal([USERNAME])
    })
  }

  it('looks up nothing that is too long', () => {
    const asked: string[] = []

    passwordProblems({ username: 'alice', password: 'a'.repeat(MAX_PASSWORD_BYTES + 1) }, (password) => {
      asked.push(password)
      return false
    })

    expect(asked).to.deep.equal([])
  })
})

describe('checkPassword', () => {
  it('passes a good password', () => {
    expect(
      refusalBy(() => {
        checkPassword({ username: 'alice', password: 'a good password' }, isCommon)
      }),
    ).to.equal(null)
  })

  it('refuses a weak one, with every reason', () => {
    const refusal = refusalBy(() => {
      checkPassword({ username: 'QWERTY', password: 'qwerty' }, isCommon)
    })

    expect(refusal).to.deep.equal({ code: 'password_too_weak', reasons: [SHORT, USERNAME, COMMON] })
  })
})
