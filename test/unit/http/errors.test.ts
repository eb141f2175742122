// Whatever is thrown becomes an answer of the dialect, and tells nothing that callers should not know.
import { expect } from 'chai'
import { AuthError, type AccountErrorCode, type CredentialErrorCode } from '../../../src/auth/errors.ts'
import { bearerErrors } from '../../../src/http/bearer/errors.ts'
import { browserErrors, browserLogoutErrors } from '../../../src/http/browser/errors.ts'
import {
  answerErrors,
  InvalidInputError,
  RefusalError,
  type DialectErrors,
} from '../../../src/http/errors.ts'
import { logoutErrors, tokenApiErrors } from '../../../src/http/token-api/errors.ts'
import { v1Errors } from '../../../src/http/v1/errors.ts'
import { koaContext } from '../../support/builders/koa-context.ts'
import { recordingLog } from '../../support/fakes/recording-log.ts'

const CODES: CredentialErrorCode[] = [
  'credentials_invalid',
  'token_invalid',
  'token_expired',
  'token_wrong_type',
  'token_denied',
  'token_outlives_denial',
  'throttled',
  'unavailable',
]
const DIALECTS = { tokenApiErrors, logoutErrors, browserErrors, browserLogoutErrors, bearerErrors }
const CHALLENGE = 'Bearer realm="api"'
/** `Retry-After`, by status. */
const WAITS: Record<number, string> = { 429: '7', 503: '1' }

describe('answerErrors', () => {
  const answered = async (error: Error, dialect = tokenApiErrors) => {
    const ctx = koaContext({ method: 'PATCH' })
    const log = recordingLog()
    await answerErrors(dialect, log)(ctx, async () => await Promise.reject(error))
    return { status: ctx.status, body: ctx.body, headers: ctx.response.headers, log: log.lines }
  }
  const withStatus = (status: number) => Object.assign(new Error('inner workings'), { status })

  it('leaves a success as it is', async () => {
    const ctx = koaContext()

    await answerErrors(tokenApiErrors, recordingLog())(ctx, async () => {
      ctx.body = { ok: true }
      await Promise.resolve()
    })

    expect([ctx.status, ctx.body]).to.deep.equal([200, { ok: true }])
  })

  it('answers each code of the rules in the words of the token API', async () => {
    const answers = await Promise.all(
      CODES.map(async (code) => {
        const { status, body } = await answered(new AuthError(code, { retryAfterSeconds: 7 }))
        return [code, status, body]
      }),
    )

    const token = (text: string) => ({ detail: text, code: 'token_not_valid' })
    expect(answers).to.deep.equal([
      ['credentials_invalid', 401, { detail: 'No active account found with the given credentials' }],
      ['token_invalid', 401, token('Token is invalid')],
      ['token_expired', 401, token('Token is expired')],
      ['token_wrong_type', 401, token('Token has wrong type')],
      ['token_denied', 401, token('Token is blacklisted')],
      ['token_outlives_denial', 401, token('Token is invalid')],
      ['throttled', 429, { detail: 'Request was throttled. Expected available in 7 seconds.' }],
      ['unavailable', 503, { detail: 'Service temporarily unavailable, try again later.' }],
    ])
  })

  it('answers each code of the rules at logout, every token alike', async () => {
    for (const code of CODES.filter((other) => other !== 'unavailable' && other !== 'throttled')) {
      const { status, body } = await answered(new AuthError(code), logoutErrors)
      expect([status, body], code).to.deep.equal([401, { error: 'Token is invalid or already blacklisted' }])
    }
    const { status, body } = await answered(new AuthError('unavailable'), logoutErrors)
    expect([status, body]).to.deep.equal([
      503,
      { error: 'Service temporarily unavailable, try again later.' },
    ])
  })

  it('answers each code of the rules in the words of the browser dialect', async () => {
    const codeFor = async (code: CredentialErrorCode) => {
      const { status, body } = await answered(new AuthError(code, { retryAfterSeconds: 7 }), browserErrors)
      return [code, status, (body as { error_code: string }).error_code]
    }

    expect(await Promise.all(CODES.map(codeFor))).to.deep.equal([
      ['credentials_invalid', 401, 'NOT_AUTHENTICATED'],
      ['token_invalid', 401, 'NOT_AUTHENTICATED'],
      ['token_expired', 401, 'NOT_AUTHENTICATED'],
      ['token_wrong_type', 401, 'NOT_AUTHENTICATED'],
      ['token_denied', 401, 'NOT_AUTHENTICATED'],
      ['token_outlives_denial', 401, 'NOT_AUTHENTICATED'],
      ['throttled', 429, 'TOO_MANY_ATTEMPTS'],
      ['unavailable', 503, 'UNAVAILABLE'],
    ])
  })

  it('answers each code of the rules in the words of the bearer logout', async () => {
    const answerFor = async (code: CredentialErrorCode) => {
      const { status, body } = await answered(new AuthError(code, { retryAfterSeconds: 7 }), bearerErrors)
      return [code, status, body]
    }

    expect(await Promise.all(CODES.map(answerFor))).to.deep.equal([
      ['credentials_invalid', 401, { error: 'Invalid token' }],
      ['token_invalid', 401, { error: 'Invalid token' }],
      ['token_expired', 401, { error: 'Token expired' }],
      ['token_wrong_type', 401, { error: 'Invalid token' }],
      ['token_denied', 401, { error: 'Invalid token' }],
      ['token_outlives_denial', 401, { error: 'Invalid token' }],
      ['throttled', 429, { error: 'Too many attempts, try again in 7 s' }],
      ['unavailable', 503, { error: 'Service temporarily unavailable, try again later' }],
    ])
  })

  for (const [name, dialect] of Object.entries(DIALECTS)) {
    it(`adds a challenge to every 401, and when to try again to every 429 and 503: ${name}`, async () => {
      for (const code of CODES) {
        const { status, headers } = await answered(new AuthError(code, { retryAfterSeconds: 7 }), dialect)
        const expected = { challenge: status === 401 ? CHALLENGE : undefined, retryAfter: WAITS[status] }
        const told = { challenge: headers['www-authenticate'], retryAfter: headers['retry-after'] }
        expect(told, code).to.deep.equal(expected)
      }
    })

    it(`sets no cookie, whatever is refused: ${name}`, async () => {
      for (const code of CODES) {
        const { headers } = await answered(new AuthError(code), dialect)
        expect(headers['set-cookie'], code).to.equal(undefined)
      }
    })
  }

  it('says in the challenge of /api/v1 when a token was presented that is no good', async () => {
    const challenges = await Promise.all(
      CODES.map(async (code) => (await answered(new AuthError(code), v1Errors)).headers['www-authenticate']),
    )

    const badToken = `${CHALLENGE}, error="invalid_token"`
    expect(challenges).to.deep.equal([
      CHALLENGE,
      badToken,
      badToken,
      badToken,
      badToken,
      badToken,
      undefined,
      undefined,
    ])
  })

  it('logs no refusal of the rules', async () => {
    expect((await answered(new AuthError('unavailable'))).log).to.deep.equal([])
  })

  it('answers what HTTP is unhappy with, by the status of the error', async () => {
    const answers = await Promise.all(
      [400, 404, 405, 413, 415, 418].map(async (status) => (await answered(withStatus(status))).body),
    )

    expect(answers).to.deep.equal([
      { detail: 'Malformed request.' },
      { detail: 'Not found.' },
      { detail: 'Method "PATCH" not allowed.' },
      { detail: 'Request body is larger than 16 KiB.' },
      { detail: 'Unsupported content encoding in request.' },
      { detail: 'Malformed request.' },
    ])
  })

  it('answers 500 to a defect, logs it, and tells the caller nothing of it', async () => {
    // What is thrown need not be an error.
    const others = ['a text', null, undefined] as unknown as Error[]
    const defects = [new Error('inner workings'), withStatus(200), withStatus(502), ...others]

    for (const defect of defects) {
      const { status, body, log } = await answered(defect)
      expect([status, body]).to.deep.equal([500, { detail: 'A server error occurred.' }])
      expect(log.map(({ level, fields }) => [level, fields['err']])).to.deep.equal([['error', defect]])
    }
    const atLogout = await answered(new Error('inner workings'), logoutErrors)
    expect(atLogout.body).to.deep.equal({ error: 'A server error occurred.' })
  })

  it('answers 500 to a defect in the words of each dialect, and tells nothing of it', async () => {
    const bodies = await Promise.all(
      [browserErrors, browserLogoutErrors, bearerErrors].map(async (dialect) => {
        const { status, body, log } = await answered(new Error('inner workings'), dialect)
        expect([status, log.length]).to.deep.equal([500, 1])
        return body
      }),
    )

    expect(bodies).to.deep.equal([
      { error_code: 'INTERNAL_ERROR', message: 'Something went wrong on our side.' },
      { error_code: 'LOGOUT_FAILED', message: 'The session could not be ended. Try again.' },
      { error: 'Internal server error' },
    ])
  })

  it('takes a code that the dialect has no words for as a defect', async () => {
    const codes: AccountErrorCode[] = ['username_taken', 'session_not_found']

    for (const code of codes) {
      const { status, body, log } = await answered(new AuthError(code))
      expect([status, body], code).to.deep.equal([500, { detail: 'A server error occurred.' }])
      expect(log.map(({ level }) => level)).to.deep.equal(['error'])
    }
  })

  it('tells the dialect what is wrong with the fields of a body, and logs none of it', async () => {
    const problems = [{ field: 'username', message: 'This field is required.' }]
    const dialect: DialectErrors = {
      ...tokenApiErrors,
      http: (status, _ctx, told) => ({ status, body: { told } }),
    }

    const invalid = await answered(new InvalidInputError(problems), dialect)
    const other = await answered(withStatus(400), dialect)

    expect([invalid.status, invalid.body, invalid.log]).to.deep.equal([400, { told: problems }, []])
    expect([other.status, other.body]).to.deep.equal([400, { told: [] }])
  })

  it('says in one sentence what is wrong with a body for the browser', async () => {
    const problems = [
      { field: 'username', message: 'This field is required.' },
      { field: 'password', message: 'A string is expected.' },
    ]

    const named = await answered(new InvalidInputError(problems), browserErrors)
    const unnamed = await answered(new InvalidInputError(), browserErrors)

    expect([named.status, named.body]).to.deep.equal([
      400,
      {
        error_code: 'INVALID_REQUEST',
        message: 'username: This field is required. password: A string is expected.',
      },
    ])
    expect(unnamed.body).to.deep.equal({
      error_code: 'INVALID_REQUEST',
      message: 'The body is not valid JSON.',
    })
  })

  it('answers a refusal as it stands, headers included', async () => {
    const refusal = { status: 409, body: { no: 'way' }, headers: { 'X-Why': 'because' } }

    const { status, body, headers, log } = await answered(new RefusalError(refusal))

    expect([status, body, headers['x-why'], log]).to.deep.equal([409, { no: 'way' }, 'because', []])
  })

  it('replaces what the handler had begun to answer', async () => {
    const ctx = koaContext()

    await answerErrors(tokenApiErrors, recordingLog())(ctx, async () => {
      ctx.body = { access: 'a token' }
      await Promise.reject(new AuthError('token_denied'))
    })

    expect(ctx.body).to.deep.equal({ detail: 'Token is blacklisted', code: 'token_not_valid' })
  })
})
