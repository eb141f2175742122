// The Koa application: what holds for every request, then the dialects.
import { randomUUID } from 'node:crypto'
import cors from '@koa/cors'
import Koa, { type Middleware } from 'koa'
import type { SystemLog } from '../../ops/log.ts'
import type { Metrics } from '../../ops/metrics.ts'
import { isAllowedOrigin, type AllowedOrigins } from '../request/allowed-origins.ts'
import { answerDeadline } from './answer-deadline.ts'
import type { Dialect } from '../endpoint.ts'
import { answerErrors, type DialectErrors, HttpError } from '../errors.ts'
import type { WaitingCallers } from './waiting-callers.ts'
import { openApi } from '../docs/dialect.ts'
import { routeOf } from './route-of.ts'
import { routeTable } from './route-table.ts'
import { securityHeaders } from './security-headers.ts'
import { settleConnection } from './settle-connection.ts'

export interface AppOptions extends AllowedOrigins {
  /** All of them are described at `/docs`: here they are served, and nowhere else. */
  dialects: Dialect[]
  /** Of this program. */
  version: string
  /** The words of whatever no dialect claims. */
  fallback: DialectErrors
  log: SystemLog
  metrics: Metrics
  callers: Pick<WaitingCallers, 'arrived' | 'dismiss' | 'progressedAtMs'>
  /** Whether browsers are told to reach this host by HTTPS only (RFC 6797), for a year. */
  sendsHsts: boolean
  /** While true, connections are closed after their answer. */
  isRetired: () => boolean
}

/** Callers may name their requests like this; anything else is replaced. */
const SANE_REQUEST_ID = /^[\w.:-]{1,128}$/

const PREFLIGHT_MAX_AGE_SECONDS = 600

export function createApp(options: AppOptions): Koa {
  const { allowedOrigins, log, sendsHsts } = options
  const app = new Koa()
  app.use(answerDeadline())
  app.use(settleConnection())
  app.use(plainJsonType)
  app.use(identifyRequest(options))
  app.use(securityHeaders(sendsHsts))
  if (allowedOrigins.length > 0) app.use(corsFor(options))
  app.use(answerErrors(options.fallback, log))
  const dialects = [...options.dialects, openApi({ described: options.dialects, version: options.version })]
  app.use(routeTable(dialects, options).routes())
  app.use(notFound(options))
  app.on('error', (error: unknown) => {
    log.debug({ err: error }, 'a connection ended early')
  })
  return app
}

function identifyRequest({ log, metrics, isRetired }: AppOptions): Middleware {
  return async (ctx, next) => {
    const start = performance.now()
    const given = ctx.get('X-Request-Id')
    const requestId = SANE_REQUEST_ID.test(given) ? given : randomUUID()
    ctx.set('X-Request-Id', requestId)

    await next()

    // Asked now rather than before: draining may have begun meanwhile.
    if (isRetired()) ctx.set('Connection', 'close')

    const seconds = (performance.now() - start) / 1000
    const answered = { method: ctx.method, route: routeOf(ctx), status: ctx.status, seconds }
    metrics.requestDone(answered)
    // At debug, failures too: an outage is told once where it is noticed, not once a request.
    log.debug({ requestId, ...answered }, 'answered')
  }
}

/** JSON is UTF-8 and has no charset (RFC 8259 section 11); some clients compare the type letter by letter. */
const plainJsonType: Middleware = async (ctx, next) => {
  await next()
  if (ctx.response.type === 'application/json') ctx.set('Content-Type', 'application/json')
}

/** With credentials, so for the allowed origins only. */
function corsFor(options: AppOptions): Middleware {
  const withCors = cors({
    origin: (ctx) => (isAllowedOrigin(options, ctx.get('Origin')) ? ctx.get('Origin') : ''),
    credentials: true,
    exposeHeaders: ['X-Request-Id', 'Retry-After', 'WWW-Authenticate'],
    maxAge: PREFLIGHT_MAX_AGE_SECONDS,
  })
  // These see to OPTIONS themselves: a gateway that passes a preflight on would take its answer for a yes.
  const endpoints = options.dialects.flatMap((dialect) => dialect.endpoints)
  const without = endpoints.flatMap(({ path, takesAnything }) => (takesAnything ? [path, `${path}/`] : []))
  return async (ctx, next) => {
    await (without.includes(ctx.path) ? next() : withCors(ctx, next))
  }
}

function notFound({ dialects, fallback, log }: AppOptions): Middleware {
  return async (ctx) => {
    const isWithin = ({ prefix }: Dialect) => prefix !== undefined && `${ctx.path}/`.startsWith(`${prefix}/`)
    const errors = dialects.find(isWithin)?.errors ?? fallback
    await answerErrors(errors, log)(ctx, () => {
      throw new HttpError(404, 'not found')
    })
  }
}
