// The one table of routes, of all dialects: a request is looked up in it once.
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import { systemClock } from '../../clock.ts'
import type { Dialect, Endpoint } from '../endpoint.ts'
import { answerErrors, HttpError } from '../errors.ts'
import { readBody } from '../request/body.ts'
import { requestDeadline, type RequestDeadlineDeps } from './request-deadline.ts'

/**
 * Both spellings of each path (with and without trailing slash), OPTIONS, and 405 for other methods. Throws where two
 * endpoints share path and method.
 */
export function routeTable(dialects: readonly Dialect[], deps: RequestDeadlineDeps): Router {
  refuseTwins(dialects.flatMap(({ endpoints }) => endpoints))
  const router = new Router({ sensitive: true })
  const body = readBody()
  const deadline = requestDeadline(deps, systemClock)
  for (const { endpoints: all, errors, isCacheable } of dialects) {
    for (const path of new Set(all.map((endpoint) => endpoint.path))) {
      const endpoints = all.filter((endpoint) => endpoint.path === path)
      const steps = [answerErrors(errors, deps.log), onlyMethods(endpoints)]
      if (!endpoints.some(({ takesAnything }) => takesAnything)) steps.push(body)
      steps.push(deadline, dispatch(endpoints))
      if (isCacheable !== true) steps.unshift(noStore)
      router.all(path, ...steps)
    }
  }
  return router
}

function refuseTwins(endpoints: readonly Endpoint[]): void {
  const seen = new Set<string>()
  for (const { method, path } of endpoints) {
    const name = `${method} ${path}`
    if (seen.has(name)) throw new Error(`two endpoints are ${name}`)
    seen.add(name)
  }
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
