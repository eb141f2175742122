// The words of /api/v1 for each way of the rules to say no.
import { expect } from 'chai'
import { AuthError, type AuthErrorCode } from '../../../../src/auth/errors.ts'
import type { Refusal } from '../../../../src/http/errors.ts'
import { passwordIncorrect, tokenMissing, v1Errors } from '../../../../src/http/v1/errors.ts'
import { koaContext } from '../../../support/builders/koa-context.ts'

describe('v1Errors', () => {
  const refusalFor = (code: Exclude<AuthErrorCode, 'failed'>): Refusal => {
    const words = v1Errors.rules[code]
    if (!words) throw new Error(`no words for ${code}`)
    const error = new AuthError(code, { retryAfterSeconds: 7, reasons: ['A reason.'] })
    return typeof words === 'function' ? words(error) : words
  }
  const codeOf = ({ body }: Refusal): unknown => (body as { code?: unknown }).code

  const rules = {
    credentials_invalid: [401, 'invalid_credentials'],
    token_invalid: [401, 'token_invalid'],
    token_wrong_type: [401, 'token_invalid'],
    token_expired: [401, 'token_expired'],
    token_denied: [401, 'token_revoked'],
    token_outlives_denial: [401, 'token_invalid'],
    username_taken: [409, 'username_taken'],
    username_invalid: [422, 'username_invalid'],
    password_too_weak: [422, 'password_too_weak'],
    session_not_found: [404, 'session_not_found'],
    throttled: [429, 'too_many_attempts'],
    unavailable: [503, 'unavailable'],
  } as const
  for (const [code, [status, name]] of Object.entries(rules)) {
    it(`answers ${code} with ${status} ${name}, as a problem`, () => {
      const refusal = refusalFor(code as keyof typeof rules)

      expect([refusal.status, codeOf(refusal)]).to.deep.equal([status, name])
      expect(refusal.body).to.include({ type: 'about:blank', status })
      expect(refusal.headers).to.include({ 'Content-Type': 'application/problem+json' })
    })
  }

  it('challenges at every 401, and says what became of a token that was presented', () => {
    const challenge = (refusal: Refusal) => refusal.headers?.['WWW-Authenticate']

    expect([tokenMissing, refusalFor('credentials_invalid')].map(challenge)).to.deep.equal([
      'Bearer realm="api"',
      'Bearer realm="api"',
    ])
    for (const code of ['token_invalid', 'token_wrong_type', 'token_expired', 'token_denied'] as const) {
      expect(challenge(refusalFor(code))).to.equal('Bearer realm="api", error="invalid_token"')
    }
  })

  it('answers a wrong password within a session with 403, which is no challenge', () => {
    expect([passwordIncorrect.status, codeOf(passwordIncorrect)]).to.deep.equal([403, 'password_incorrect'])
    expect(passwordIncorrect.headers).not.to.have.property('WWW-Authenticate')
  })

  it('says how long to wait, and why a name or a password is refused', () => {
    expect(refusalFor('throttled').headers).to.include({ 'Retry-After': '7' })
    for (const code of ['username_invalid', 'password_too_weak'] as const) {
      expect(refusalFor(code).body).to.deep.include({ reasons: ['A reason.'] })
    }
  })

  const http = {
    404: 'not_found',
    405: 'method_not_allowed',
    413: 'body_too_large',
    415: 'unsupported_media_type',
    500: 'internal_error',
  }
  for (const [status, code] of Object.entries(http)) {
    it(`answers ${status} with ${code}`, () => {
      const refusal = v1Errors.http(Number(status), koaContext(), [])

      expect([refusal.status, codeOf(refusal)]).to.deep.equal([Number(status), code])
    })
  }

  it('answers 400 with the fields, and with the body where no field is to blame', () => {
    const problems = [{ field: 'limit', message: 'Too much.' }]

    expect(v1Errors.http(400, koaContext(), problems).body).to.deep.include({
      code: 'invalid_request',
      errors: problems,
    })
    expect(v1Errors.http(400, koaContext(), []).body).to.deep.include({
      code: 'invalid_request',
      errors: [{ field: 'body', message: 'This cannot be read as JSON.' }],
    })
  })
})
