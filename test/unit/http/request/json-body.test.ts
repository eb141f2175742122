// Bodies of the dialects that take nothing but JSON.
import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import { credentials } from '../../../../src/http/request/credentials.ts'
import { InvalidInputError } from '../../../../src/http/errors.ts'
import { readJson } from '../../../../src/http/request/json-body.ts'
import { koaContext } from '../../../support/builders/koa-context.ts'

const anything = z.looseObject({})

/** The fields, the problems, or the status of any other error. */
function read(body: string | Uint8Array, type = 'application/json', schema: z.ZodObject = anything): unknown {
  try {
    return readJson(koaContext({ headers: { 'Content-Type': type }, body }), schema)
  } catch (error) {
    if (error instanceof InvalidInputError) return { status: error.status, problems: error.problems }
    return (error as { status?: number }).status
  }
}

const NOT_JSON = { status: 400, problems: [] }

describe('readJson', () => {
  it('returns the fields of the schema, and leaves out the others', () => {
    const schema = z.object({ a: z.string(), b: z.number().optional() })

    expect(read('{"a":"ä","c":true,"__proto__":{"d":1}}', 'application/json', schema)).to.deep.equal({
      a: 'ä',
    })
  })

  it('returns what was sent, whatever that was', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.jsonValue(), { maxKeys: 4 }),
        (fields) => {
          const text = JSON.stringify(fields)

          expect(read(text)).to.deep.equal(JSON.parse(text))
        },
      ),
    )
  })

  for (const type of [
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/json ;charset=UTF-8',
  ]) {
    it(`takes ${type}`, () => {
      expect(read('{"a":1}', type)).to.deep.equal({ a: 1 })
    })
  }

  // What the form of a foreign page can send without asking first.
  for (const type of [
    'text/plain',
    'text/plain; application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json5',
    'application/problem+json',
    'text/json',
    '',
  ]) {
    it(`is 415 for ${type || 'no content type'}, whatever is in it`, () => {
      expect(read('{"a":1}', type)).to.equal(415)
    })
  }

  it('counts an absent body as no fields, of whatever content type', () => {
    for (const type of ['application/json', 'text/plain', '']) {
      const ctx = koaContext({ headers: { 'Content-Type': type } })
      expect(readJson(ctx, anything), type).to.deep.equal({})
    }
  })

  for (const body of [' ', '{', '{"a":1,}', "{'a':1}", '{}{}', 'a=b', 'undefined', '{"a":NaN}']) {
    it(`is 400 for ${body}, and tells nothing of it`, () => {
      expect(read(body)).to.deep.equal(NOT_JSON)
    })
  }

  it('is 400 for what is not UTF-8', () => {
    expect(read(Buffer.from('{"a":"\xe4"}', 'latin1'))).to.deep.equal(NOT_JSON)
    expect(read(Buffer.from('{"a":"x"}', 'utf16le'))).to.deep.equal(NOT_JSON)
  })

  for (const body of ['[]', '"text"', '1', 'null', 'true']) {
    it(`is 400 for ${body}, which is no object, with the body named`, () => {
      const answer = read(body) as { status: number; problems: { field: string }[] }

      expect(answer.status).to.equal(400)
      expect(answer.problems.map(({ field }) => field)).to.deep.equal(['body'])
    })
  }

  it('names every field that is wrong, nested ones by their path, and quotes none', () => {
    const schema = z.object({ a: z.object({ b: z.string() }), c: z.number() })

    const answer = read('{"a":{"b":17},"c":"hunter2"}', 'application/json', schema) as {
      problems: { field: string; message: string }[]
    }

    expect(answer.problems.map(({ field }) => field)).to.deep.equal(['a.b', 'c'])
    expect(JSON.stringify(answer)).not.to.include('hunter2')
  })
})

describe('credentials', () => {
  const problemsOf = (fields: object) => {
    const answer = read(JSON.stringify(fields), 'application/json', credentials) as { problems?: unknown }
    return answer.problems ?? 'valid'
  }
  const good = { username: 'alice', password: 'secret' }

  it('trim the username, and never alter the password', () => {
    const body = JSON.stringify({ username: ' alice\t', password: ' secret ' })

    expect(read(body, 'application/json', credentials)).to.deep.equal({
      username: 'alice',
      password: ' secret ',
    })
  })

  const mistakes: { value: unknown; message: string }[] = [
    { value: undefined, message: 'This field is required.' },
    { value: null, message: 'A string is expected.' },
    { value: 42, message: 'A string is expected.' },
    { value: ['x'], message: 'A string is expected.' },
    { value: '', message: 'This field may not be blank.' },
    { value: ' \t', message: 'This field may not be blank.' },
    { value: 'te\0xt', message: 'Null characters are not allowed.' },
  ]
  for (const field of ['username', 'password']) {
    for (const { value, message } of mistakes) {
      it(`say "${message}" when the ${field} is ${value === undefined ? 'missing' : JSON.stringify(value)}`, () => {
        expect(problemsOf({ ...good, [field]: value })).to.deep.equal([{ field, message }])
      })
    }
  }

  it('take a password of 4096 bytes, and no longer one', () => {
    expect(problemsOf({ ...good, password: 'ä'.repeat(2048) })).to.equal('valid')
    expect(problemsOf({ ...good, password: `${'ä'.repeat(2048)}x` })).to.deep.equal([
      { field: 'password', message: 'At most 4096 bytes are allowed.' },
    ])
  })
})
