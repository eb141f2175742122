// The error rows of the token API that are about the body, for every endpoint that takes one.
import { expect } from 'chai'
import { gzipSync } from 'node:zlib'
import { statusAndBody, testEnvironment, type TestEnvironment } from '../../support/service/environment.ts'
import type { CallOptions } from '../../support/service/signoff.ts'

const ENDPOINTS = {
  '/auth/login/': ['username', 'password'],
  '/auth/token/refresh/': ['refresh'],
  '/auth/token/verify/': ['token'],
  '/auth/token/blacklist/': ['refresh'],
  '/api/token/': ['username', 'password'],
  '/api/token/refresh/': ['refresh'],
  '/api/token/verify/': ['token'],
  '/api/token/blacklist/': ['refresh'],
} as const

const JSON_TYPE = { 'Content-Type': 'application/json' }

const NOT_JSON = { detail: 'JSON parse error - the body is not valid JSON' }
const NOT_UTF8 = { detail: 'JSON parse error - the body is not valid UTF-8' }
const notDictionary = (type: string) => ({
  non_field_errors: [`Invalid data. Expected a dictionary, but got ${type}.`],
})

/** Bodies that are no dictionary, whatever the endpoint. */
const MALFORMED: [name: string, options: CallOptions, body: object][] = [
  ['a list', { json: [] }, notDictionary('list')],
  ['a string', { json: 'text' }, notDictionary('str')],
  ['a number', { json: 1 }, notDictionary('int')],
  ['a fraction', { json: 1.5 }, notDictionary('float')],
  ['a boolean', { json: true }, notDictionary('bool')],
  ['null', { json: null }, { non_field_errors: ['No data provided'] }],
  ['malformed JSON', { body: '{"refresh":', headers: JSON_TYPE }, NOT_JSON],
  ['NaN', { body: '{"refresh":NaN}', headers: JSON_TYPE }, NOT_JSON],
  ['bad UTF-8', { body: Buffer.from([0x7b, 0xff, 0x7d]), headers: JSON_TYPE }, NOT_UTF8],
  [
    'multipart that is none',
    { body: 'x', headers: { 'Content-Type': 'multipart/form-data' } },
    { detail: 'Multipart form parse error - the body is not valid multipart/form-data' },
  ],
  [
    'multipart that ends within a file',
    {
      body: '--b\r\nContent-Disposition: form-data; name="refresh"; filename="f"\r\n\r\nx',
      headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
    },
    { detail: 'Multipart form parse error - the body is not valid multipart/form-data' },
  ],
]

const FIELD_VALUES: [name: string, value: unknown, message: string][] = [
  ['null', null, 'This field may not be null.'],
  ['an empty text', '', 'This field may not be blank.'],
  ['only spaces', '   ', 'This field may not be blank.'],
  ['a boolean', true, 'Not a valid string.'],
  ['a list', ['a'], 'Not a valid string.'],
  ['an object', { a: 1 }, 'Not a valid string.'],
  ['a NUL', 'a\0b', 'Null characters are not allowed.'],
  ['half a surrogate pair', 'a\ud800b', 'Surrogate characters are not allowed: U+D800.'],
  ['the other half', '\udfff', 'Surrogate characters are not allowed: U+DFFF.'],
]

describe('bodies the token API does not take', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment()
  })
  after(async () => {
    await env.stop()
  })

  for (const [path, fields] of Object.entries(ENDPOINTS)) {
    describe(`POST ${path}`, () => {
      const required = Object.fromEntries(fields.map((field) => [field, ['This field is required.']]))

      for (const [name, options] of Object.entries({ 'an empty object': { json: {} }, 'no body': {} })) {
        it(`lists every required field for ${name}`, async () => {
          const answer = await env.signoff.call(path, options)

          expect(statusAndBody(answer)).to.deep.equal({ status: 400, body: required })
        })
      }

      for (const field of fields) {
        for (const [name, value, message] of FIELD_VALUES) {
          it(`refuses ${name} as ${field}`, async () => {
            const others = Object.fromEntries(fields.map((other) => [other, 'fine']))

            const answer = await env.signoff.post(path, { ...others, [field]: value })

            expect(statusAndBody(answer)).to.deep.equal({ status: 400, body: { [field]: [message] } })
          })
        }
      }

      for (const [name, options, body] of MALFORMED) {
        it(`refuses ${name}`, async () => {
          const answer = await env.signoff.call(path, options)

          expect(statusAndBody(answer)).to.deep.equal({ status: 400, body })
        })
      }

      it('refuses another content type with 415', async () => {
        const answer = await env.signoff.call(path, {
          body: 'hello',
          headers: { 'Content-Type': 'text/plain' },
        })

        expect(statusAndBody(answer)).to.deep.equal({
          status: 415,
          body: { detail: 'Unsupported media type "text/plain" in request.' },
        })
      })

      it('refuses a body without a content type with 415', async () => {
        const answer = await env.signoff.call(path, { body: 'hello' })

        expect(answer.status).to.equal(415)
      })

      it('refuses another method with 405 and says which is allowed', async () => {
        for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
          const answer = await env.signoff.call(path, { method })

          expect(statusAndBody(answer)).to.deep.equal({
            status: 405,
            body: { detail: `Method "${method}" not allowed.` },
          })
          expect(answer.headers['allow']).to.equal('POST, OPTIONS')
        }
      })

      it('refuses a packed body with 415, and says what it takes', async () => {
        for (const encoding of ['gzip', 'br', 'deflate', 'GZIP', 'identity, gzip', 'nonsense']) {
          const answer = await env.signoff.call(path, {
            body: gzipSync('{}'),
            headers: { ...JSON_TYPE, 'Content-Encoding': encoding },
          })

          expect(statusAndBody(answer), encoding).to.deep.equal({
            status: 415,
            body: { detail: 'Unsupported content encoding in request.' },
          })
          expect(answer.headers['accept-encoding'], encoding).to.equal('identity')
        }
      })

      it('refuses more than 16 KiB with 413', async () => {
        const big = JSON.stringify({ refresh: 'x'.repeat(17_000) })

        const plain = await env.signoff.call(path, { body: big, headers: JSON_TYPE })
        const untyped = await env.signoff.call(path, { body: big })

        for (const answer of [plain, untyped]) {
          expect(statusAndBody(answer)).to.deep.equal({
            status: 413,
            body: { detail: 'Request body is larger than 16 KiB.' },
          })
        }
      })
    })
  }

  it('refuses a password of more than 4,096 bytes', async () => {
    const answer = await env.signoff.post('/auth/login/', { username: 'alice', password: 'x'.repeat(4097) })

    expect(statusAndBody(answer)).to.deep.equal({
      status: 400,
      body: { password: ['Ensure this field has no more than 4096 bytes.'] },
    })
  })

  describe('POST /auth/logout/', () => {
    const missing = { status: 400, body: { error: 'refresh_token is required' } }

    for (const value of [undefined, null, '', '  ', true, 5, ['a'], { a: 1 }, 'a\ud800']) {
      it(`asks for the token when it is ${value === undefined ? 'missing' : JSON.stringify(value)}`, async () => {
        const answer = await env.signoff.post('/auth/logout/', { refresh_token: value })

        expect(statusAndBody(answer)).to.deep.equal(missing)
      })
    }

    for (const [name, options, body] of MALFORMED) {
      it(`refuses ${name}`, async () => {
        const answer = await env.signoff.call('/auth/logout/', options)

        expect(statusAndBody(answer)).to.deep.equal({ status: 400, body })
      })
    }

    it('answers 401 to an empty body: nothing says whose session is meant', async () => {
      const answer = await env.signoff.call('/auth/logout/')

      expect(answer.status).to.equal(401)
      expect(answer.json).to.include({ error_code: 'NOT_AUTHENTICATED' })
    })

    it('answers 405, 413 and 415 as the other endpoints do', async () => {
      const get = await env.signoff.call('/auth/logout/', { method: 'GET' })
      const big = await env.signoff.post('/auth/logout/', { refresh_token: 'x'.repeat(17_000) })
      const text = await env.signoff.call('/auth/logout/', {
        body: 'a',
        headers: { 'Content-Type': 'text/plain' },
      })

      expect([get, big, text].map(({ status }) => status)).to.deep.equal([405, 413, 415])
    })
  })
})
