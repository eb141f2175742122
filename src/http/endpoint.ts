// One endpoint: what it answers to, what it says of itself, and the routes that many of them make.
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import type { ZodOpenApiOperationObject } from 'zod-openapi'
import { systemClock } from '../clock.ts'
import { readBody } from './request/body.ts'
import { answerErrors, type DialectErrors, HttpError } from './errors.ts'
import { requestDeadline, type RequestDeadlineDeps } from './server/request-deadline.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** How an endpoint is described (OpenAPI 3.1); whom it lets in is never left out. */
export type Operation = ZodOpenApiOperationObject & {
  operationId: string
  security: NonNullable<ZodOpenApiOperationObject['security']>
}

export interface Endpoint {
  method: Method
  /** With parameters as `:name`. */
  path: `/${string}`
  operation: Operation
  handler: (ctx: Context) => Promise<void> | void
  /** Every other method is answered like this one, and no body is read. */
  takesAnything?: true
}

/** Endpoints that say no in the same words. */
export interface Dialect {
  errors: DialectErrors
  endpoints: Endpoint[]
  /** Unknown paths below it are answered in these words too. */
  prefix?: `/${string}`
  /** Answers may be kept by caches; those of a dialect without this may not. */
  isCacheable?: boolean
}

/** The routes of a dialect: both spellings of a path (with and without trailing slash), OPTIONS, and 405 for other methods. */
export function dialectRouter(dialect: Dialect, deps: RequestDeadlineDeps): Router {
  const router = new Router({ sensitive: true })
  const body = readBody()
  const deadline = requestDeadline(deps, systemClock)
  for (const path of new Set(dialect.endpoints.map((endpoint) => endpoint.path))) {
    const endpoints = dialect.endpoints.filter((endpoint) => endpoint.path === path)
    const steps = [answerErrors(dialect.errors, deps.log), onlyMethods(endpoints)]
    if (!endpoints.some(({ takesAnything }) => takesAnything)) steps.push(body)
    steps.push(deadline, dispatch(endpoints))
    if (dialect.isCacheable !== true) steps.unshift(noStore)
    router.all(path, ...steps)
  }
  return router
}

function dispatch(endpoints: Endpoint[]): Middleware {
  return async (ctx) => {
    await endpointFor(endpoints, ctx)?.handler(ctx)
  }
}

/** HEAD is answered as GET is (RFC 9110 section 9.3.2). */
function endpointFor(endpoints: Endpoint[], ctx: Context): Endpoint | undefined {
  const method = ctx.method === 'HEAD' ? 'GET' : ctx.method
  return endpoints.find((endpoint) => endpoint.takesAnything ?? endpoint.method === method)
}

/** Answers OPTIONS with what there is (RFC 9110 section 9.3.7); a preflight never comes here. */
function onlyMethods(endpoints: Endpoint[]): Middleware {
  const methods = endpoints.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  const allowed = [...methods, 'OPTIONS'].join(', ')
  return async (ctx, next) => {
    if (endpointFor(endpoints, ctx)) {
      await next()
      return
    }
    ctx.set('Allow', allowed)
    if (ctx.method !== 'OPTIONS') throw new HttpError(405, 'method not allowed')
    ctx.status = 204
  }
}

const noStore: Middleware = async (ctx, next) => {
  ctx.set('Cache-Control', 'no-store')
  await next()
}
