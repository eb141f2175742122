// Arbitrary bytes, headers and JSON at every endpoint: never a 5xx, a hang or a stack.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { testEnvironment, type TestEnvironment } from '../support/service/environment.ts'
import { HANGING_MS } from '../support/clients/hanging.ts'
import type { Answer, CallOptions } from '../support/service/signoff.ts'

const PATHS = [
  '/auth/login/',
  '/auth/token/refresh/',
  '/auth/token/verify/',
  '/auth/token/blacklist/',
  '/auth/logout/',
  '/auth/check',
  '/oauth/introspect',
  '/oauth/revoke',
  '/.well-known/jwks.json',
  '/healthz',
]
const FIELDS = ['username', 'password', 'refresh', 'refresh_token', 'token', '__proto__']
const MEDIA_TYPES = [
  'application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=b',
  'text/plain',
]

const path = fc.constantFrom(...PATHS)
const method = fc.constantFrom('POST', 'POST', 'POST', 'POST', 'GET', 'PUT', 'DELETE', 'HEAD')
const headerValue = fc.stringMatching(/^[\t -~]{0,100}$/)

describe('arbitrary input', () => {
  let env: TestEnvironment
  let refresh: string

  before(async () => {
    env = await testEnvironment()
    refresh = (await env.login()).refresh
  })
  after(async () => {
    await env.stop()
  })

  async function expectCalm(target: string, options: CallOptions): Promise<void> {
    const start = performance.now()
    const answer: Answer = await env.signoff.call(target, options)

    expect(answer.status, answer.text).to.be.within(200, 499)
    expect(performance.now() - start).to.be.below(HANGING_MS)
    expect(answer.text).to.not.match(/ {4}at |node_modules|\.js:|\.ts:|SELECT|INSERT|zod|koa|ioredis/)
  }

  it('is answered calmly when it is JSON of any shape', async () => {
    const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.constant(refresh))
    const body = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...FIELDS), value))

    await fc.assert(
      fc.asyncProperty(path, method, body, async (target, verb, json) => {
        await expectCalm(
          target,
          verb === 'GET' || verb === 'HEAD' ? { method: verb } : { method: verb, json },
        )
      }),
      { numRuns: 400 },
    )
  })

  it('is answered calmly when it is bytes under any content type and encoding', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc
        .array(
          fc.constantFrom(
            '--b',
            '--',
            '\r\n',
            'Content-Disposition: form-data; name="refresh"',
            '; filename="f"',
            '\r\n\r\n',
            'x',
          ),
          { maxLength: 12 },
        )
        .map((parts) => Buffer.from(parts.join(''))),
      fc
        .array(
          fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '1', 'null', '\\u0000', '\\ud800', 'refresh'),
          { maxLength: 40 },
        )
        .map((parts) => Buffer.from(parts.join(''))),
    )
    const type = fc.oneof(fc.constantFrom(...MEDIA_TYPES), headerValue)
    const encoding = fc.constantFrom('', '', '', 'gzip', 'deflate', 'br', 'identity', 'nonsense')

    await fc.assert(
      fc.asyncProperty(
        path,
        bytes,
        fc.tuple(type, encoding),
        async (target, body, [contentType, contentEncoding]) => {
          const headers = {
            'Content-Type': contentType,
            ...(contentEncoding && { 'Content-Encoding': contentEncoding }),
          }
          await expectCalm(target, { body: Buffer.from(body), headers })
        },
      ),
      { numRuns: 500 },
    )
  })

  it('is answered calmly when it is headers', async () => {
    const name = fc.constantFrom(
      'Authorization',
      'Cookie',
      'Origin',
      'X-Request-Id',
      'X-Forwarded-For',
      'Accept',
      'User-Agent',
      'X-Any',
    )

    await fc.assert(
      fc.asyncProperty(path, fc.dictionary(name, headerValue), async (target, headers) => {
        await expectCalm(target, { json: { refresh, username: 'x', password: 'y' }, headers })
      }),
      { numRuns: 200 },
    )
  })

  it('is answered calmly when it is a token with anything in it', async () => {
    const part = fc
      .oneof(fc.json(), fc.constant('{"alg":"HS256","typ":"rt+jwt"}'))
      .map((text) => Buffer.from(text).toString('base64url'))
    const token = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))

    await fc.assert(
      fc.asyncProperty(token, async (candidate) => {
        await expectCalm('/auth/token/verify/', { json: { token: candidate } })
        await expectCalm('/auth/logout/', { json: { refresh_token: candidate } })
      }),
      { numRuns: 200 },
    )
  })

  it('does not end or hold the service when it is no HTTP at all', async () => {
    const port = Number(new URL(env.signoff.url).port)
    const ca = readFileSync(env.signoff.files.certFile)

    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 500 }), async (bytes) => {
        const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' })
        socket.on('error', () => undefined)
        await once(socket, 'secureConnect')
        socket.write(bytes)
        await Promise.race([once(socket, 'close'), sleep(20)])
        socket.destroy()
      }),
      { numRuns: 50 },
    )

    expect((await env.signoff.call('/healthz', { method: 'GET' })).status).to.equal(200)
  })
})
