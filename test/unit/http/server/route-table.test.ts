// The routes that a dialect's endpoints make: spellings of a path, methods, headers, and whose words a no is in.
import { expect } from 'chai'
import type { Context } from 'koa'
import { AuthError } from '../../../../src/auth/errors.ts'
import { bodyOf } from '../../../../src/http/request/body.ts'
import type { Dialect, Endpoint, Method } from '../../../../src/http/endpoint.ts'
import { routeTable } from '../../../../src/http/server/route-table.ts'
import { tokenApiErrors } from '../../../../src/http/token-api/errors.ts'
import { koaContext, type RequestParts } from '../../../support/builders/koa-context.ts'
import { recordingLog } from '../../../support/fakes/recording-log.ts'

const NOT_ALLOWED = (method: string) => ({ detail: `Method "${method}" not allowed.` })

/** Answers with its method, its path, and what it was sent. */
function endpoint(method: Method, path: Endpoint['path'], parts: Partial<Endpoint> = {}): Endpoint {
  return {
    method,
    path,
    operation: { operationId: `${method} ${path}`, security: [], responses: {} },
    handler: (ctx) => {
      ctx.body = { method, path, sent: Buffer.from(bodyOf(ctx) ?? '').toString() }
    },
    ...parts,
  }
}

interface Ask extends RequestParts {
  path: string
}

describe('routeTable', () => {
  const asked = async ({ path, body, ...parts }: Ask, options: Partial<Dialect> = {}) => {
    const dialect: Dialect = {
      errors: tokenApiErrors,
      endpoints: [
        endpoint('GET', '/things/:id'),
        endpoint('DELETE', '/things/:id'),
        endpoint('POST', '/things'),
        endpoint('PUT', '/refused', {
          handler: () => {
            throw new AuthError('token_denied')
          },
        }),
      ],
      ...options,
    }
    const ctx = koaContext(parts)
    ctx.url = path
    if (body !== undefined) send(ctx, body)
    let passedOn = false
    await routeTable([dialect], {
      log: recordingLog(),
      callers: { arrived: () => undefined, dismiss: () => undefined, progressedAtMs: () => -Infinity },
    }).routes()(ctx as never, async () => {
      passedOn = true
      await Promise.resolve()
    })
    const { allow, 'cache-control': cache } = ctx.response.headers
    return { status: ctx.status, body: ctx.body, allow, cache, passedOn }
  }
  const GET_THING = { method: 'GET', path: '/things/:id', sent: '' }

  it('answers with the endpoint of that path and method', async () => {
    const got = await asked({ method: 'GET', path: '/things/7' })
    const deleted = await asked({ method: 'DELETE', path: '/things/7' })

    expect([got.status, got.body]).to.deep.equal([200, GET_THING])
    expect([deleted.status, deleted.body]).to.deep.equal([200, { ...GET_THING, method: 'DELETE' }])
  })

  it('gives the handler the parameters of the path', async () => {
    const endpoints = [
      endpoint('GET', '/things/:id', {
        handler: (ctx) => {
          ctx.body = (ctx as Context & { params: object }).params
        },
      }),
    ]

    expect((await asked({ method: 'GET', path: '/things/a%20b' }, { endpoints })).body).to.deep.equal({
      id: 'a b',
    })
  })

  it('answers alike with and without the trailing slash', async () => {
    for (const path of ['/things/7', '/things/7/', '/things/7?x=/y/']) {
      expect((await asked({ method: 'GET', path })).body, path).to.deep.equal(GET_THING)
    }
    for (const path of ['/things', '/things/']) {
      expect((await asked({ method: 'POST', path })).status, path).to.equal(200)
    }
  })

  it('answers HEAD as GET', async () => {
    const answer = await asked({ method: 'HEAD', path: '/things/7' })

    expect([answer.status, answer.body, answer.allow]).to.deep.equal([200, GET_THING, undefined])
  })

  it('is 405 for any other method, in the words of the dialect, and tells which ones there are', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'options', 'get', 'PROPFIND']) {
      const { status, body, allow } = await asked({ method, path: '/things/7' })
      const expected = [405, NOT_ALLOWED(method), 'GET, HEAD, DELETE, OPTIONS']
      expect([status, body, allow], method).to.deep.equal(expected)
    }
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'post']) {
      const { status, body, allow } = await asked({ method, path: '/things' })
      expect([status, body, allow], method).to.deep.equal([405, NOT_ALLOWED(method), 'POST, OPTIONS'])
    }
  })

  it('answers OPTIONS with the methods that there are, and nothing else', async () => {
    const one = await asked({ method: 'OPTIONS', path: '/things/7/' })
    const many = await asked({ method: 'OPTIONS', path: '/things' })

    expect([one.status, one.body, one.allow]).to.deep.equal([204, undefined, 'GET, HEAD, DELETE, OPTIONS'])
    expect([many.status, many.body, many.allow]).to.deep.equal([204, undefined, 'POST, OPTIONS'])
  })

  it('reads no body for a method that there is not', async () => {
    const ctx = koaContext({ method: 'PUT' })
    ctx.url = '/things'
    send(ctx, 'x'.repeat(100_000))

    const dialect = { errors: tokenApiErrors, endpoints: [endpoint('POST', '/things')] }
    await routeTable([dialect], {
      log: recordingLog(),
      callers: { arrived: () => undefined, dismiss: () => undefined, progressedAtMs: () => -Infinity },
    }).routes()(ctx as never, async () => {
      await Promise.resolve()
    })

    expect([ctx.status, ctx.request.rawBody]).to.deep.equal([405, undefined])
  })

  it('answers every method like an endpoint that takes anything, and leaves the body unread', async () => {
    const endpoints = [endpoint('GET', '/any', { takesAnything: true })]
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const body = 'x'.repeat(100_000)
      const { status, body: said, allow } = await asked({ method, path: '/any/', body }, { endpoints })

      expect([status, said, allow], method).to.deep.equal([
        200,
        { method: 'GET', path: '/any', sent: '' },
        undefined,
      ])
    }
  })

  it('is refused when two dialects have the same endpoint', () => {
    const dialects = [1, 2].map(() => ({ errors: tokenApiErrors, endpoints: [endpoint('POST', '/things')] }))
    const callers = { arrived: () => undefined, dismiss: () => undefined, progressedAtMs: () => -Infinity }

    expect(() => routeTable(dialects, { log: recordingLog(), callers })).to.throw('two endpoints are POST')
  })

  it('passes on what is no path of the dialect', async () => {
    for (const path of ['/', '/thing', '/things/7/more', '/THINGS', '/Things/7', '//things', '/other']) {
      const { passedOn, body, cache } = await asked({ method: 'GET', path })
      expect([passedOn, body, cache], path).to.deep.equal([true, undefined, undefined])
    }
  })

  it('passes nothing on that it has answered', async () => {
    for (const method of ['GET', 'PATCH']) {
      expect((await asked({ method, path: '/things/7' })).passedOn, method).to.equal(false)
    }
  })

  it('answers what a handler rejects with in the words of the dialect', async () => {
    const { status, body } = await asked({ method: 'PUT', path: '/refused' })

    expect([status, body]).to.deep.equal([401, { detail: 'Token is blacklisted', code: 'token_not_valid' }])
  })

  it('keeps every answer out of caches, refusals included', async () => {
    const answers = [
      await asked({ method: 'GET', path: '/things/7' }),
      await asked({ method: 'PATCH', path: '/things/7' }),
      await asked({ method: 'PUT', path: '/refused' }),
    ]

    expect(answers.map(({ cache }) => cache)).to.deep.equal(['no-store', 'no-store', 'no-store'])
  })

  it('leaves that to the handlers of a dialect whose answers may be kept', async () => {
    const { status, cache } = await asked({ method: 'GET', path: '/things/7' }, { isCacheable: true })

    expect([status, cache]).to.deep.equal([200, undefined])
  })

  it('gives the handler the bytes of the body, of whatever content type', async () => {
    for (const type of ['application/json', 'text/plain', 'no type']) {
      const headers = { 'Content-Type': type }
      const { body } = await asked({ path: '/things', headers, body: '{"a":"ä"}' })
      expect((body as { sent: string }).sent, type).to.equal('{"a":"ä"}')
    }
  })

  it('is 413 for a body of more than 16 KiB, in the words of the dialect', async () => {
    const atLimit = await asked({ path: '/things', body: 'x'.repeat(16 * 1024) })
    const beyond = await asked({ path: '/things', body: 'x'.repeat(16 * 1024 + 1) })

    expect(atLimit.status).to.equal(200)
    expect([beyond.status, beyond.body]).to.deep.equal([
      413,
      { detail: 'Request body is larger than 16 KiB.' },
    ])
  })
})

/** The body as it comes over the wire. */
function send(ctx: Context, body: string | Uint8Array): void {
  const bytes = Buffer.from(body)
  ctx.req.headers['content-length'] = String(bytes.length)
  ctx.req.push(bytes)
  ctx.req.push(null)
}
