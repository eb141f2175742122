// The description of the service: exactly its routes, and an example of everything that is asked and answered.
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import type { z } from 'zod'
import type { oas31, ZodOpenApiContentObject, ZodOpenApiResponseObject } from 'zod-openapi'
import { createApp } from '../../../../src/http/server/create-app.ts'
import type { Dialect, Endpoint } from '../../../../src/http/endpoint.ts'
import { tokenApiErrors } from '../../../../src/http/token-api/errors.ts'
import { createMetrics } from '../../../../src/ops/metrics.ts'
import { everyDialect, givenDialects } from '../../../support/service/dialects.ts'
import { koaContext } from '../../../support/builders/koa-context.ts'
import { recordingLog } from '../../../support/fakes/recording-log.ts'

type Operation = Endpoint['operation']

/** Those that say yes and nothing else. */
const EMPTY_ANSWERS = ['POST /oauth/revoke 200', 'GET /auth/check 200']

const endpointsOf = (dialects: Dialect[]): Endpoint[] => dialects.flatMap(({ endpoints }) => endpoints)
const templateOf = (path: string): string => path.replace(/:(\w+)/g, '{$1}')

/** What /openapi.json answers. */
async function documentOf(dialects: Dialect[]): Promise<oas31.OpenAPIObject> {
  const ctx = koaContext({ method: 'GET' })
  const description = endpointsOf(dialects).find(({ path }) => path === '/openapi.json')
  await description?.handler(ctx)
  return JSON.parse(await text(ctx.body as Readable)) as oas31.OpenAPIObject
}

/** The paths in the routers of a real application, however they got there. */
function routedPaths(options: { isRegistrationOpen: boolean }): string[] {
  const app = createApp({
    dialects: givenDialects(options),
    version: '1.2.3',
    fallback: tokenApiErrors,
    allowedOrigins: [],
    log: recordingLog(),
    metrics: createMetrics(),
    callers: { arrived: () => undefined, dismiss: () => undefined, progressedAtMs: () => -Infinity },
    sendsHsts: true,
    isRetired: () => false,
  })
  const routers = app.middleware.map((step) => (step as { router?: { stack: { path: string }[] } }).router)
  return routers.flatMap((router) => router?.stack.map(({ path }) => templateOf(path)) ?? [])
}

/** A name for the failure message, and each operation. */
const operations = (): [string, Operation][] =>
  endpointsOf(everyDialect()).map(({ method, path, operation }) => [`${method} ${path}`, operation])

const responsesOf = (operation: Operation): [string, ZodOpenApiResponseObject][] =>
  Object.entries(operation.responses) as [string, ZodOpenApiResponseObject][]

interface Content {
  schema: z.ZodType
  values: unknown[]
  /** Examples that are files, such as the page. */
  files: string[]
}

/** By media type. */
function contentsOf(content: ZodOpenApiContentObject = {}): [string, Content][] {
  return Object.entries(content).map(([mediaType, described]) => {
    const named = Object.values(described?.examples ?? {}) as oas31.ExampleObject[]
    const values = named.filter(({ value }) => value !== undefined).map(({ value }): unknown => value)
    if (described?.example !== undefined) values.push(described.example)
    const files = named.flatMap(({ externalValue }) => externalValue ?? [])
    return [mediaType, { schema: described?.schema as z.ZodType, values, files }]
  })
}

describe('the description', () => {
  it('has the paths that are routed, and no other', async () => {
    for (const isRegistrationOpen of [true, false]) {
      const dialects = everyDialect({ isRegistrationOpen })

      const described = Object.keys((await documentOf(dialects)).paths ?? {})

      expect(described).to.have.members(routedPaths({ isRegistrationOpen }))
    }
  })

  it('has the methods of the endpoints, and no other', async () => {
    const dialects = everyDialect()

    const described = Object.entries((await documentOf(dialects)).paths ?? {}).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    )

    const served = endpointsOf(dialects).map(({ method, path }) => `${method} ${templateOf(path)}`)
    expect(described).to.have.members(served)
  })

  it('refers to nothing that is not there', async () => {
    const document = await documentOf(everyDialect())
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
      ([, path]) => path ?? '',
    )

    expect(references).to.not.deep.equal([])
    for (const reference of new Set(references)) {
      const found = reference
        .split('/')
        .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], document)
      expect(found, reference).to.be.an('object')
    }
  })

  it('names whom each operation lets in, by schemes that it explains', async () => {
    const schemes = Object.keys((await documentOf(everyDialect())).components?.securitySchemes ?? {})

    for (const [name, { security }] of operations()) {
      expect(security, name).to.be.an('array')
      expect(schemes, name).to.include.members(security.flatMap((requirement) => Object.keys(requirement)))
    }
  })

  it('gives each operation an id of its own, a summary and one tag', () => {
    const ids = operations().map(([, { operationId }]) => operationId)

    expect(new Set(ids)).to.have.property('size', ids.length)
    for (const [name, { summary, tags }] of operations()) {
      expect(summary, name).to.match(/^[A-Z/]/)
      expect(tags, name).to.have.length(1)
    }
  })

  it('names each parameter of a path', () => {
    for (const { path, operation } of endpointsOf(everyDialect())) {
      const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name)
      const params = operation.requestParams?.path as z.ZodObject | undefined
      expect(Object.keys(params?.shape ?? {}), path).to.have.members(names)
    }
  })

  it('shows for each body of a request an example that the schema accepts', () => {
    for (const [name, { requestBody }] of operations()) {
      for (const [mediaType, { schema, values }] of contentsOf(requestBody?.content)) {
        expect(values, `${name} ${mediaType}`).to.not.deep.equal([])
        for (const value of values) schema.parse(value)
      }
    }
  })

  it('shows for each answer an example that the schema describes in full', () => {
    for (const [name, operation] of operations()) {
      for (const [status, { description, content }] of responsesOf(operation)) {
        expect(description, `${name} ${status}`).to.not.equal('')
        // These two have no body (RFC 9110 sections 15.3.5 and 15.4.5).
        const isEmpty = ['204', '304'].includes(status) || EMPTY_ANSWERS.includes(`${name} ${status}`)
        expect(content === undefined, `${name} ${status}`).to.equal(isEmpty)
        for (const [mediaType, { schema, values, files }] of contentsOf(content)) {
          expect([...values, ...files], `${name} ${status} ${mediaType}`).to.not.deep.equal([])
          for (const value of values) expect(schema.parse(value), name).to.deep.equal(value)
        }
      }
    }
  })

  it('says of each 401 that it carries a challenge, and of 429 and 503 when to try again', () => {
    const demanded: Record<string, string> = {
      '401': 'WWW-Authenticate',
      '429': 'Retry-After',
      '503': 'Retry-After',
    }
    for (const [name, operation] of operations()) {
      for (const [status, { headers }] of responsesOf(operation)) {
        const header = demanded[status]
        if (header) expect(headers, `${name} ${status}`).to.have.property(header)
      }
    }
  })

  it('says of every answer that it carries a request id', async () => {
    for (const item of Object.values((await documentOf(everyDialect())).paths ?? {})) {
      for (const operation of Object.values(item) as oas31.OperationObject[]) {
        for (const response of Object.values(operation.responses ?? {})) {
          expect((response as oas31.ResponseObject).headers).to.have.property('X-Request-Id')
        }
      }
    }
  })
})
