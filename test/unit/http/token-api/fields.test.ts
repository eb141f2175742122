// The fields of the token API: each message that a client may get, for each of its mistakes.
import { expect } from 'chai'
import fc from 'fast-check'
import { RefusalError } from '../../../../src/http/errors.ts'
import { logoutFields } from '../../../../src/http/token-api/end-session-of-token.ts'
import { refreshFields, validateFields } from '../../../../src/http/token-api/fields.ts'
import { loginFields } from '../../../../src/http/token-api/post-login.ts'
import { verifyFields } from '../../../../src/http/token-api/post-verify.ts'

const REQUIRED = 'This field is required.'
const NULL = 'This field may not be null.'
const BLANK = 'This field may not be blank.'
const NO_STRING = 'Not a valid string.'
const NUL = 'Null characters are not allowed.'

type Schema = Parameters<typeof validateFields>[0]

const refusalOf = (schema: Schema, fields: Record<string, unknown>): unknown => {
  try {
    validateFields(schema, fields)
    return 'valid'
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal
    throw error
  }
}

const places: { name: string; schema: Schema; rest: Record<string, string> }[] = [
  { name: 'username', schema: loginFields, rest: { password: 'secret' } },
  { name: 'password', schema: loginFields, rest: { username: 'alice' } },
  { name: 'refresh', schema: refreshFields, rest: {} },
  { name: 'token', schema: verifyFields, rest: {} },
]

for (const { name, schema, rest } of places) {
  describe(`the field ${name}`, () => {
    const mistakes: { value: unknown; message: string }[] = [
      { value: undefined, message: REQUIRED },
      { value: null, message: NULL },
      { value: '', message: BLANK },
      { value: ' \t\n\u00a0', message: BLANK },
      { value: true, message: NO_STRING },
      { value: false, message: NO_STRING },
      { value: [], message: NO_STRING },
      { value: ['text'], message: NO_STRING },
      { value: {}, message: NO_STRING },
      { value: { toString: 'text' }, message: NO_STRING },
      { value: 'te\0xt', message: NUL },
      { value: '\0', message: NUL },
    ]
    for (const { value, message } of mistakes) {
      it(`is refused with "${message}" when it is ${value === undefined ? 'missing' : JSON.stringify(value)}`, () => {
        const fields = { ...rest, ...(value !== undefined && { [name]: value }) }

        expect(refusalOf(schema, fields)).to.deep.equal({ status: 400, body: { [name]: [message] } })
      })
    }

    const numbers: { value: number; text: string }[] = [
      { value: 0, text: '0' },
      { value: -0, text: '0' },
      { value: 42, text: '42' },
      { value: -7, text: '-7' },
      { value: 1.5, text: '1.5' },
      { value: 1e21, text: '1000000000000000000000' },
    ]
    for (const { value, text } of numbers) {
      it(`takes the number ${value} as its decimal text`, () => {
        expect(validateFields(schema, { ...rest, [name]: value })).to.deep.equal({ ...rest, [name]: text })
      })
    }

    it('leaves out fields that nobody asked for', () => {
      const fields = { ...rest, [name]: 'text', extra: 'field', __proto__: { x: 1 } }

      expect(validateFields(schema, fields)).to.deep.equal({ ...rest, [name]: 'text' })
    })

    it('is not found on the prototype of what was sent', () => {
      const fields = Object.assign(Object.create({ toString: 'x' }) as object, rest)

      expect(refusalOf(schema, fields)).to.deep.equal({ status: 400, body: { [name]: [REQUIRED] } })
    })
  })
}

describe('loginFields', () => {
  it('tells what is wrong with every field at once, one problem each', () => {
    expect(refusalOf(loginFields, {})).to.deep.equal({
      status: 400,
      body: { username: [REQUIRED], password: [REQUIRED] },
    })
    expect(refusalOf(loginFields, { username: null, password: ` \0${'x'.repeat(5000)}` })).to.deep.equal({
      status: 400,
      body: { username: [NULL], password: [NUL] },
    })
  })

  it('trims the username and never alters the password', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (text) => {
        fc.pre(text.trim() !== '' && !text.includes('\0'))

        const fields = validateFields(loginFields, { username: ` ${text}\t`, password: ` ${text}\t` })

        expect(fields).to.deep.equal({ username: text.trim(), password: ` ${text}\t` })
      }),
    )
  })

  it('takes a password of 4096 bytes, and no longer one', () => {
    const atLimit = { username: 'alice', password: 'ä'.repeat(2048) }
    const beyond = { username: 'alice', password: `${'ä'.repeat(2048)}x` }

    expect(refusalOf(loginFields, atLimit)).to.equal('valid')
    expect(refusalOf(loginFields, beyond)).to.deep.equal({
      status: 400,
      body: { password: ['Ensure this field has no more than 4096 bytes.'] },
    })
  })
})

describe('refreshFields and verifyFields', () => {
  it('trim the token', () => {
    expect(validateFields(refreshFields, { refresh: ' a.b.c\n' })).to.deep.equal({ refresh: 'a.b.c' })
    expect(validateFields(verifyFields, { token: ' a.b.c\n' })).to.deep.equal({ token: 'a.b.c' })
  })
})

describe('logoutFields', () => {
  it('take a token, trimmed', () => {
    expect(logoutFields.parse({ refresh_token: ' a.b.c ' })).to.deep.equal({ refresh_token: 'a.b.c' })
  })

  it('take nothing else, not even a number', () => {
    for (const value of [undefined, null, '', '  ', 'a\0b', 1, true, [], {}]) {
      expect(logoutFields.safeParse({ refresh_token: value }).success, JSON.stringify(value)).to.equal(false)
    }
  })
})
