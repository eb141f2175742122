// The description, held against the running service: what it lists is answered, as it says; what it does not list is not.
import { expect } from 'chai'
import { z } from 'zod'
import type { oas31 } from 'zod-openapi'
import { ACCESS_TOKEN, CREDENTIALS, REFRESH_TOKEN } from '../../src/http/describe/samples.ts'
import { claimsOf, testEnvironment, type TestEnvironment } from '../support/service/environment.ts'
import { addedPeer, type PeerClient } from '../support/clients/peer.ts'
import type { Answer, CallOptions } from '../support/service/signoff.ts'

interface Described {
  name: string
  method: string
  path: string
  operation: oas31.OperationObject
}

/** It says so. */
const TAKES_ANYTHING = '/auth/check'

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']

describe('the description of the running service', () => {
  let env: TestEnvironment
  let document: oas31.OpenAPIObject
  let peer: PeerClient
  let users = 0
  let addresses = 0

  before(async () => {
    env = await testEnvironment({ REGISTRATION: 'open', TRUST_PROXY: 'loopback' })
    peer = await addedPeer(env.signoff, env.database)
    document = (await env.signoff.call('/openapi.json', { method: 'GET' })).json as oas31.OpenAPIObject
  })
  after(async () => {
    await env.stop()
  })

  /** Each time from another address: there are more requests than one may make in a minute. */
  const call = async (path: string, { headers, ...options }: CallOptions) =>
    await env.signoff.call(path, {
      ...options,
      headers: { ...headers, 'X-Forwarded-For': `10.0.${addresses >> 8}.${addresses++ & 255}` },
    })

  const described = (): Described[] =>
    Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
      Object.entries(item).map(([verb, operation]) => {
        const method = verb.toUpperCase()
        return { name: `${method} ${path}`, method, path, operation: operation as oas31.OperationObject }
      }),
    )

  /** A user of its own, with tokens, cookie and CSRF token, for operations that leave little behind. */
  const newUser = async (isV1: boolean) => {
    const credentials = { username: `user-${++users}`, password: CREDENTIALS.password }
    await call('/api/v1/auth/register', { json: credentials })
    const login = await call(isV1 ? '/api/v1/auth/login' : '/auth/login', { json: credentials })
    const pair = login.json as Record<string, string>
    const session = await call('/auth/session', { json: credentials })
    return {
      username: credentials.username,
      access: pair['access_token'] ?? pair['access'] ?? '',
      refresh: pair['refresh_token'] ?? pair['refresh'] ?? '',
      cookie: session.headers['set-cookie']?.split(';')[0] ?? '',
      csrfToken: (session.json as { csrf_token: string }).csrf_token,
      peer: peer.basic,
    }
  }

  it('lists nothing that is not there', async () => {
    for (const { name, method, path } of described()) {
      const { status } = await call(filled(path, document), { method })

      expect(status, name).to.not.be.oneOf([404, 405])
    }
  })

  it('lists every method: all others are answered 405, with those that are listed', async () => {
    for (const [path, item] of Object.entries(document.paths ?? {})) {
      if (path === TAKES_ANYTHING) continue
      const listed = Object.keys(item).map((method) => method.toUpperCase())
      const allowed = [...listed, ...(listed.includes('GET') ? ['HEAD'] : []), 'OPTIONS']
      for (const method of METHODS.filter((other) => !listed.includes(other))) {
        const { status, headers } = await call(filled(path, document), { method })

        expect(status, `${method} ${path}`).to.equal(405)
        expect(headers['allow']?.split(', '), `${method} ${path}`).to.have.members(allowed)
      }
    }
  })

  it('describes what is answered to its own examples by a caller without credentials', async () => {
    for (const { name, method, path, operation } of described()) {
      for (const request of requestsOf(operation)) {
        const answer = await call(filled(path, document), { ...request, method })

        expectDescribed(answer, operation, name)
      }
    }
  })

  it('describes how its own examples succeed for those who have what they show', async () => {
    for (const { name, method, path, operation } of described()) {
      for (const bare of requestsOf(operation)) {
        const user = await newUser(path.startsWith('/api/v1/'))
        const asUser = (text: string): string =>
          text
            .replaceAll(ACCESS_TOKEN, user.access)
            .replaceAll(REFRESH_TOKEN, user.refresh)
            // Who registers must be new.
            .replaceAll(
              CREDENTIALS.username,
              operation.operationId === 'register' ? `new-${users}` : user.username,
            )
        const request = { ...bare, ...withBody(bare, asUser) }
        const headers = { ...request.headers, ...credentialsFor(operation, user) }
        const target = filled(path, document).replace('sample-id', String(claimsOf(user.access)['sid']))

        const answer = await call(target, { ...request, method, headers })

        expect(answer.status, `${name} ${answer.text}`).to.be.within(200, 204)
        expectDescribed(answer, operation, name)
      }
    }
  })

  it('describes what is answered to bodies that nobody can use', async () => {
    const unusable: Record<string, string> = { '400': '{', '413': ' '.repeat(17 * 1024), '415': 'a' }
    for (const { name, method, path, operation } of described()) {
      if (!operation.requestBody) continue
      const headers = credentialsFor(operation, await newUser(path.startsWith('/api/v1/')))
      const [mediaType = ''] = Object.keys((operation.requestBody as oas31.RequestBodyObject).content)
      for (const [status, body] of Object.entries(unusable)) {
        const type = { 'Content-Type': status === '415' ? 'text/plain' : mediaType }
        const sent = { body, method, headers: { ...headers, ...type } }
        const answer = await call(filled(path, document), sent)

        expect(String(answer.status), `${name} ${answer.text}`).to.equal(status)
        expectDescribed(answer, operation, name)
      }
    }
  })

  describe('as a page', () => {
    const get = async (path: string, headers: Record<string, string> = {}) =>
      await call(path, { method: 'GET', headers })

    it('runs scripts of this service only, and is shown in no frame', async () => {
      const { headers } = await get('/docs')

      expect(headers['content-security-policy']?.split('; ')).to.have.members([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ])
      for (const path of ['/openapi.json', '/docs/start.js', '/healthz']) {
        const other = (await get(path)).headers['content-security-policy']
        expect(other, path).to.equal("default-src 'none';frame-ancestors 'none'")
      }
    })

    it('is made of files that are there, of the types that browsers insist on', async () => {
      const { text } = await get('/docs/')
      const files = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path ?? '')

      const answers = await Promise.all([...files, '/openapi.json'].map((path) => get(path)))

      expect(answers.map(({ status, headers }) => [status, headers['content-type']])).to.deep.equal([
        [200, 'image/png'],
        [200, 'text/css; charset=utf-8'],
        [200, 'text/javascript; charset=utf-8'],
        [200, 'text/javascript; charset=utf-8'],
        [200, 'application/json'],
      ])
      for (const { headers } of answers) expect(headers['x-content-type-options']).to.equal('nosniff')
    })

    it('is kept for a minute, and then asked for by its tag', async () => {
      for (const path of ['/docs', '/docs/', '/docs/swagger-ui-bundle.js', '/openapi.json']) {
        const first = await get(path)
        const again = await get(path, { 'If-None-Match': first.headers['etag'] ?? '' })

        expect(first.headers['cache-control'], path).to.equal('public, max-age=60')
        expect([again.status, again.text], path).to.deep.equal([304, ''])
      }
    })

    it('is packed for those who take that, under a tag of its own', async () => {
      for (const path of ['/docs/swagger-ui-bundle.js', '/openapi.json']) {
        const plain = await get(path)
        const packed = await get(path, { 'Accept-Encoding': 'br, gzip' })
        const again = await get(path, {
          'Accept-Encoding': 'br, gzip',
          'If-None-Match': packed.headers['etag'] ?? '',
        })

        expect(plain.headers, path).not.to.have.property('content-encoding')
        expect(packed.headers, path).to.include({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' })
        expect(Number(packed.headers['content-length']), path).to.be.below(plain.text.length / 2)
        expect(Number(plain.headers['content-length']), path).to.equal(Buffer.byteLength(plain.text))
        expect(packed.headers['etag'], path).not.to.equal(plain.headers['etag'])
        expect(again.status, path).to.equal(304)
      }
    })

    it('gives no other file of the package or of the disk', async () => {
      for (const file of ['swagger-ui-bundle.js.map', 'package.json', '..%2Fpackage.json', '__proto__']) {
        const { status, json } = await get(`/docs/${file}`)
        expect([status, json], file).to.deep.equal([404, { detail: 'Not found.' }])
      }
    })
  })
})

/** The path with something in the place of its parameters: the first of a list, or `sample-id`. */
function filled(path: string, document: oas31.OpenAPIObject): string {
  const parameters = (document.paths?.[path]?.get?.parameters ?? []) as oas31.ParameterObject[]
  return path.replace(/\{(\w+)\}/g, (_match, name: string) => {
    const schema = parameters.find((parameter) => parameter.name === name)?.schema as
      oas31.SchemaObject | undefined
    return String(schema?.enum?.[0] ?? 'sample-id')
  })
}

type ExampleRequest = Pick<CallOptions, 'body' | 'headers'> & { mediaType?: string; example?: unknown }

/** One for each media type and example; one without a body where there need not be any. */
function requestsOf({ requestBody }: oas31.OperationObject): ExampleRequest[] {
  const { content = {}, required = false } = (requestBody ?? {}) as Partial<oas31.RequestBodyObject>
  const requests = Object.entries(content).flatMap(([mediaType, { example, examples = {} }]) => {
    const values = Object.values(examples).map((named) => (named as oas31.ExampleObject).value as unknown)
    return [...values, ...(example === undefined ? [] : [example as unknown])].map((value) => {
      const request = { mediaType, example: value }
      return { ...request, ...withBody(request, (text) => text) }
    })
  })
  return required ? requests : [{}, ...requests]
}

/** The body of an example in its media type, `change` applied to its text. */
function withBody(
  { mediaType, example }: ExampleRequest,
  change: (text: string) => string,
): Pick<CallOptions, 'body' | 'headers'> {
  if (mediaType === undefined) return {}
  const text = change(JSON.stringify(example))
  if (mediaType === 'application/json') return { body: text, headers: { 'Content-Type': mediaType } }

  const fields = Object.entries(JSON.parse(text) as Record<string, string | boolean>)
  if (mediaType === 'application/x-www-form-urlencoded') {
    const form = new URLSearchParams(fields.map(([name, value]): [string, string] => [name, String(value)]))
    return { body: form.toString(), headers: { 'Content-Type': mediaType } }
  }
  const parts = fields.map(
    ([name, value]) => `--part\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  return { body: `${parts.join('')}--part--\r\n`, headers: { 'Content-Type': `${mediaType}; boundary=part` } }
}

function credentialsFor(
  { security = [] }: oas31.OperationObject,
  user: { access: string; cookie: string; csrfToken: string; peer: string },
): Record<string, string> {
  const schemes = security.flatMap((requirement) => Object.keys(requirement))
  return {
    ...(schemes.includes('bearer') && { Authorization: `Bearer ${user.access}` }),
    ...(schemes.includes('peer') && { Authorization: user.peer }),
    ...(schemes.includes('sessionCookie') && { Cookie: user.cookie }),
    ...(schemes.includes('csrfToken') && { 'X-CSRF-Token': user.csrfToken }),
  }
}

function expectDescribed(answer: Answer, operation: oas31.OperationObject, name: string): void {
  const what = `${name} ${answer.status} ${answer.text}`
  const response = operation.responses?.[answer.status] as oas31.ResponseObject | undefined
  if (!response) throw new Error(`not described: ${what}`)

  // Of the two credentials of /auth/logout only one is a cookie.
  const headers = Object.keys(response.headers ?? {}).filter((header) => header !== 'Set-Cookie')
  expect(Object.keys(answer.headers), what).to.include.members(headers.map((header) => header.toLowerCase()))

  const mediaType = answer.headers['content-type']?.split(';')[0]
  if (mediaType === undefined) expect(response, what).to.not.have.property('content')
  else expectSchema(answer, response.content?.[mediaType]?.schema, what)
}

function expectSchema({ json, text }: Answer, schema: unknown, what: string): void {
  expect(schema, what).to.be.an('object')
  const { error } = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(json ?? text)
  expect(error?.message, what).to.equal(undefined)
}
