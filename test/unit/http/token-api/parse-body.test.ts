// Bodies in each media type, good and bad.
import { expect } from 'chai'
import fc from 'fast-check'
import { RefusalError } from '../../../../src/http/errors.ts'
import { parseBody } from '../../../../src/http/token-api/parse-body.ts'
import { koaContext } from '../../../support/builders/koa-context.ts'

const parse = async (body: string | Uint8Array, type = 'application/json'): Promise<unknown> =>
  await parseBody(koaContext({ headers: { 'Content-Type': type }, body })).catch((error: unknown) => {
    if (error instanceof RefusalError) return error.refusal
    throw error
  })

const detail = (status: number, text: string) => ({ status, body: { detail: text } })
const nonField = (text: string) => ({ status: 400, body: { non_field_errors: [text] } })

const FORM = 'application/x-www-form-urlencoded'
const NO_JSON = detail(400, 'JSON parse error - the body is not valid JSON')
const NO_UTF8 = detail(400, 'JSON parse error - the body is not valid UTF-8')
const NO_MULTIPART = detail(400, 'Multipart form parse error - the body is not valid multipart/form-data')

describe('parseBody', () => {
  it('finds no fields where there is no body, whatever the media type', async () => {
    for (const type of ['application/json', 'text/plain', 'multipart/form-data', '']) {
      expect(await parseBody(koaContext({ headers: { 'Content-Type': type } })), type).to.deep.equal({})
    }
  })

  describe('of JSON', () => {
    it('returns the members, of whatever type', async () => {
      const fields = { a: 'text', b: 1, c: null, d: [true], e: { f: 'g' }, ä: '\u{1f512}' }

      expect(await parse(JSON.stringify(fields))).to.deep.equal(fields)
      expect(await parse(` \r\n${JSON.stringify(fields)}\t`)).to.deep.equal(fields)
      expect(await parse('{}')).to.deep.equal({})
    })

    for (const type of [
      'application/json; charset=utf-8',
      'application/json;charset=UTF-8',
      'Application/JSON',
      'application/json ; charset=utf-8',
    ]) {
      it(`is recognized as ${type}`, async () => {
        expect(await parse('{"a":1}', type)).to.deep.equal({ a: 1 })
      })
    }

    const refused: { what: string; body: string; answer: object }[] = [
      { what: 'a list', body: '[]', answer: nonField('Invalid data. Expected a dictionary, but got list.') },
      { what: 'a text', body: '"x"', answer: nonField('Invalid data. Expected a dictionary, but got str.') },
      {
        what: 'an integer',
        body: '1',
        answer: nonField('Invalid data. Expected a dictionary, but got int.'),
      },
      {
        what: 'a number',
        body: '1.5',
        answer: nonField('Invalid data. Expected a dictionary, but got float.'),
      },
      { what: 'true', body: 'true', answer: nonField('Invalid data. Expected a dictionary, but got bool.') },
      {
        what: 'false',
        body: 'false',
        answer: nonField('Invalid data. Expected a dictionary, but got bool.'),
      },
      { what: 'null', body: 'null', answer: nonField('No data provided') },
      { what: 'NaN', body: '{"a":NaN}', answer: NO_JSON },
      { what: 'Infinity', body: '{"a":Infinity}', answer: NO_JSON },
      { what: 'a comma too many', body: '{"a":1,}', answer: NO_JSON },
      { what: 'a body cut short', body: '{"a":"b', answer: NO_JSON },
      { what: 'single quotes', body: "{'a':1}", answer: NO_JSON },
      { what: 'two documents', body: '{}{}', answer: NO_JSON },
      { what: 'only spaces', body: '  ', answer: NO_JSON },
      { what: 'a raw control character', body: '{"a":"\u0001"}', answer: NO_JSON },
      { what: 'a form', body: 'a=b', answer: NO_JSON },
    ]
    for (const { what, body, answer } of refused) {
      it(`is refused when it is or has ${what}`, async () => {
        expect(await parse(body)).to.deep.equal(answer)
      })
    }

    it('is refused when it is not UTF-8', async () => {
      const bodies = [
        Buffer.from('{"a":"\xe4"}', 'latin1'),
        Buffer.from('{"a":"x"}', 'utf16le'),
        Buffer.from([0x22, 0xc0, 0x80, 0x22]),
        Buffer.from([0x7b, 0xed, 0xa0, 0x80, 0x7d]),
        Buffer.from([0xff]),
      ]

      const answers = await Promise.all(bodies.map(async (body) => await parse(body)))

      expect(answers.slice(0, 1)).to.deep.equal([NO_UTF8])
      expect(answers.slice(2)).to.deep.equal([NO_UTF8, NO_UTF8, NO_UTF8])
      expect(answers[1]).to.deep.equal(NO_JSON)
    })

    it('is never quoted in the answer, since it may hold a password', async () => {
      const answer = await parse('{"password":"hunter2"')

      expect(JSON.stringify(answer)).not.to.include('hunter2')
    })

    it('has no power over prototypes', async () => {
      await parse('{"__proto__":{"polluted":true}}')

      expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined)
    })

    it('returns what was sent, whatever that was', async () => {
      await fc.assert(
        fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }), async (fields) => {
          const text = JSON.stringify(fields)

          expect(JSON.stringify(await parse(text))).to.equal(JSON.stringify(JSON.parse(text)))
        }),
      )
    })
  })

  describe('of a form', () => {
    it('returns the fields as text, unescaped', async () => {
      const body = 'username=al+ice%40example.com&password=%C3%A4%26%3D%2B&empty=&flag'

      expect(await parse(body, FORM)).to.deep.equal({
        username: 'al ice@example.com',
        password: 'ä&=+',
        empty: '',
        flag: '',
      })
    })

    it('takes a field that is said twice in the same words', async () => {
      expect(await parse('a=1&a=1', FORM)).to.deep.equal({ a: '1' })
    })

    it('returns a list, which no field may be, of the first two different values of a field', async () => {
      expect(await parse('a=1&b=1&a=2&a=3&a=1', FORM)).to.deep.equal({ a: ['1', '2'], b: '1' })
    })

    it('is refused when it is not UTF-8', async () => {
      expect(await parse(Buffer.from('a=\xe4', 'latin1'), FORM)).to.deep.equal(
        detail(400, 'Form parse error - the body is not valid UTF-8'),
      )
    })

    it('returns what was sent, whatever that was', async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
          const body = new URLSearchParams({ text }).toString()

          expect(await parse(body, FORM)).to.deep.equal({ text })
        }),
      )
    })
  })

  describe('of multipart', () => {
    const type = 'multipart/form-data; boundary=edge'
    const part = (name: string, value: string, more = '') =>
      `--edge\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`

    it('returns the fields as text', async () => {
      const body = `${part('username', 'alice')}${part('password', 'ä b\r\nc')}--edge--\r\n`

      expect(await parse(body, type)).to.deep.equal({ username: 'alice', password: 'ä b\r\nc' })
    })

    it('takes a file for no text', async () => {
      const body = `${part('username', 'alice', '; filename="a.txt"')}--edge--\r\n`

      expect(await parse(body, type)).to.deep.equal({ username: {} })
    })

    it('is refused without a boundary, or when it is something else', async () => {
      expect(await parse(`${part('a', 'b')}--edge--\r\n`, 'multipart/form-data')).to.deep.equal(NO_MULTIPART)
      expect(await parse('{"a":1}', type)).to.deep.equal(NO_MULTIPART)
      expect(await parse(part('a', 'b'), type)).to.deep.equal(NO_MULTIPART)
    })
  })

  describe('of any other media type', () => {
    it('is refused with its name', async () => {
      for (const type of ['text/plain', 'application/xml', 'application/json5', 'json', '']) {
        expect(await parse('{}', type)).to.deep.equal(
          detail(415, `Unsupported media type "${type}" in request.`),
        )
      }
    })

    it('is refused with a name cut short when that is long', async () => {
      const answer = await parse('{}', `text/${'x'.repeat(5000)}`)

      expect(answer).to.deep.equal(detail(415, `Unsupported media type "text/${'x'.repeat(95)}" in request.`))
    })
  })
})
