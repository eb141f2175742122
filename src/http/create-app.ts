// The Koa application: what holds for every request, then the dialects.
import { randomUUID } from 'node:crypto'
import cors from '@koa/cors'
import type Router from '@koa/router'
import Koa, { type Context, type Middleware } from 'koa'
import helmet from 'koa-helmet'
import type { SystemLog } from '../ops/log.ts'
import type { Metrics } from '../ops/metrics.ts'
import { answerErrors } from './errors.ts'
import { tokenApiErrors } from './token-api/errors.ts'

export interface AppOptions {
  routers: Router[]
  allowedOrigins: readonly string[]
  log: SystemLog
  metrics: Metrics
  /** While true, connections are closed after their answer. */
  isDraining: () => boolean
}

/** What callers may name their requests; anything else is replaced. */
const SANE_REQUEST_ID = /^[\w.:-]{1,128}$/

const HSTS_MAX_AGE_SECONDS = 31_536_000

export function createApp(options: AppOptions): Koa {
  const { allowedOrigins, log } = options
  const app = new Koa()
  app.use(identifyRequest(options))
  app.use(
    helmet({
      // Nothing here is a page; a dialect that serves one states its own policy.
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      strictTransportSecurity: { maxAge: HSTS_MAX_AGE_SECONDS },
    }),
  )
  if (allowedOrigins.length > 0) app.use(cors({ origin: (ctx) => allowedOrigin(ctx, allowedOrigins) }))
  app.use(answerErrors(tokenApiErrors, log))
  for (const router of options.routers) app.use(router.routes())
  app.use(notFound)
  app.on('error', (error: unknown) => {
    log.debug({ err: error }, 'a connection ended early')
  })
  return app
}

function identifyRequest({ log, metrics, isDraining }: AppOptions): Middleware {
  return async (ctx, next) => {
    const start = performance.now()
    const given = ctx.get('X-Request-Id')
    const requestId = SANE_REQUEST_ID.test(given) ? given : randomUUID()
    ctx.set('X-Request-Id', requestId)

    await next()

    // Asked now rather than before: draining may have begun meanwhile.
    if (isDraining()) ctx.set('Connection', 'close')

    const route = (ctx as { _matchedRoute?: string })._matchedRoute ?? 'none'
    const seconds = (performance.now() - start) / 1000
    metrics.requestDone({ route, status: ctx.status, seconds })
    const request = { requestId, method: ctx.method, route, status: ctx.status, seconds }
    // At debug, failures too: an outage is told once where it is noticed, not once a request.
    log.debug(request, 'answered')
  }
}

function allowedOrigin(ctx: Context, allowed: readonly string[]): string {
  const origin = ctx.get('Origin')
  return allowed.includes(origin) ? origin : ''
}

const notFound: Middleware = () => {
  throw Object.assign(new Error('not found'), { status: 404 })
}
