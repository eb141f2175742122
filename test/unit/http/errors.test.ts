// Whatever is thrown becomes an answer of the dialect, and tells nothing that callers should not know.
import { expect } from 'chai'
import { AuthError, type AuthErrorCode } from '../../../src/auth/errors.ts'
import { answerErrors, onlyMethod, RefusalError } from '../../../src/http/errors.ts'
import { logoutErrors, tokenApiErrors } from '../../../src/http/token-api/errors.ts'
import { koaContext } from '../../support/builders/koa-context.ts'
import { recordingLog } from '../../support/fakes/recording-log.ts'

const CODES: AuthErrorCode[] = [
  'credentials_invalid',
  'token_invalid',
  'token_expired',
  'token_wrong_type',
  'token_denied',
  'unavailable',
]
const CHALLENGE = 'Bearer realm="api"'

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
        const { status, body } = await answered(new AuthError(code))
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
      ['unavailable', 503, { detail: 'Service temporarily unavailable, try again later.' }],
    ])
  })

  it('answers each code of the rules at logout, every token alike', async () => {
    for (const code of CODES.filter((other) => other !== 'unavailable')) {
      const { status, body } = await answered(new AuthError(code), logoutErrors)
      expect([status, body], code).to.deep.equal([401, { error: 'Token is invalid or already blacklisted' }])
    }
    const { status, body } = await answered(new AuthError('unavailable'), logoutErrors)
    expect([status, body]).to.deep.equal([
      503,
      { error: 'Service temporarily unavailable, try again later.' },
    ])
  })

  it('adds a challenge to every 401, and when to try again to every 503', async () => {
    for (const dialect of [tokenApiErrors, logoutErrors]) {
      for (const code of CODES) {
        const { headers } = await answered(new AuthError(code), dialect)
        const isUnavailable = code === 'unavailable'
        expect(headers['www-authenticate'], code).to.equal(isUnavailable ? undefined : CHALLENGE)
        expect(headers['retry-after'], code).to.equal(isUnavailable ? '1' : undefined)
      }
    }
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

describe('onlyMethod', () => {
  const ask = async (method: string) => {
    const ctx = koaContext({ method })
    const answers: unknown[] = []
    try {
      await onlyMethod('POST')(ctx, async () => {
        await Promise.resolve(answers.push('let through'))
      })
    } catch (error) {
      answers.push((error as { status: number }).status)
    }
    return { answers, allow: ctx.response.headers['allow'] }
  }

  it('lets its method through', async () => {
    expect(await ask('POST')).to.deep.equal({ answers: ['let through'], allow: undefined })
  })

  it('is 405 for every other, and tells which one it is', async () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'post']) {
      expect(await ask(method), method).to.deep.equal({ answers: [405], allow: 'POST' })
    }
  })
})
