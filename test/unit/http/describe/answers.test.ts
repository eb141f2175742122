// What operations are made of: refusals by status, in the words that the dialect answers with.
import { expect } from 'chai'
import { z } from 'zod'
import { answers, refusalOf, refusals, takes } from '../../../../src/http/describe/answers.ts'
import { bearerErrors } from '../../../../src/http/bearer/errors.ts'
import { RefusalError } from '../../../../src/http/errors.ts'
import { tokenApiErrors } from '../../../../src/http/token-api/errors.ts'

const detail = z.object({ detail: z.string() })
const sentence = z.object({ error: z.string() })

describe('refusals', () => {
  it('gathers under each status an example for each reason', () => {
    const responses = refusals({
      errors: bearerErrors,
      schema: sentence,
      rules: ['token_expired', 'token_invalid'],
      http: [413],
    })

    expect(Object.keys(responses)).to.deep.equal(['401', '413'])
    expect(responses['401']).to.deep.include({
      description: 'Unauthorized',
      content: {
        'application/json': {
          schema: sentence,
          examples: {
            token_expired: { value: { error: 'Token expired' } },
            token_invalid: { value: { error: 'Invalid token' } },
          },
        },
      },
    })
  })

  it('refers to the headers that come with the refusal', () => {
    const reference = (name: string) => ({ [name]: { $ref: `#/components/headers/${name}` } })

    const responses = refusals({
      errors: tokenApiErrors,
      schema: detail,
      rules: ['token_denied', 'throttled', 'unavailable'],
    })

    expect(responses['401']).to.have.deep.property('headers', reference('WWW-Authenticate'))
    expect(responses['429']).to.have.deep.property('headers', reference('Retry-After'))
    expect(responses['503']).to.have.deep.property('headers', reference('Retry-After'))
  })

  it('keeps two dialects at one endpoint apart', () => {
    const rules = ['token_invalid'] as const

    const responses = refusals(
      { errors: tokenApiErrors, schema: detail, rules },
      { errors: bearerErrors, schema: sentence, rules, prefix: 'bearer' },
    )

    const { content } = responses['401'] as unknown as {
      content: { 'application/json': { examples: object; schema: z.ZodType } }
    }
    const { examples, schema } = content['application/json']
    expect(examples).to.have.all.keys('token_invalid', 'bearer_token_invalid')
    expect(schema.safeParse({ error: 'x' }).success).to.equal(true)
    expect(schema.safeParse({ detail: 'x' }).success).to.equal(true)
    expect(schema.safeParse({ other: 'x' }).success).to.equal(false)
  })

  it('cannot be made of a code that the dialect has no words for', () => {
    const described = () => refusals({ errors: bearerErrors, schema: sentence, rules: ['username_taken'] })

    expect(described).to.throw('no words for username_taken')
  })
})

describe('refusalOf', () => {
  const refusal = { status: 400, body: { why: 'because' } }

  it('is what the attempt is refused with', () => {
    const attempt = () => {
      throw new RefusalError(refusal)
    }

    expect(refusalOf(attempt)).to.equal(refusal)
  })

  it('throws what else the attempt throws, and when it is not refused', () => {
    const defect = () => {
      throw new TypeError('a defect')
    }

    expect(() => refusalOf(defect)).to.throw(TypeError)
    expect(() => refusalOf(() => 'fine')).to.throw('nothing was refused')
  })
})

describe('takes and answers', () => {
  it('tell schema and example under each media type', () => {
    const example = { detail: 'x' }

    const body = takes(detail, example, ['text/a', 'text/b'])
    const response = answers('Fine.', detail, example)

    const content = { schema: detail, example }
    expect(body).to.deep.equal({ required: true, content: { 'text/a': content, 'text/b': content } })
    expect(response).to.deep.equal({ description: 'Fine.', content: { 'application/json': content } })
  })
})
