// Answers that are not successes: one way to say no, told in each dialect's own words.
import type { Context, Middleware } from 'koa'
import { AuthError, type AuthErrorCode } from '../auth/errors.ts'
import type { SystemLog } from '../ops/log.ts'

/** Status and body of one answer. */
export interface Refusal {
  status: number
  body: object
  headers?: Record<string, string>
}

/** Ends a request with this answer, from wherever it is thrown. */
export class RefusalError extends Error {
  override readonly name = 'RefusalError'
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(`answered ${refusal.status}`)
    this.refusal = refusal
  }
}

/** How a dialect says each thing that can go wrong; a new code does not compile until every dialect has words for it. */
export interface DialectErrors {
  rules: Record<AuthErrorCode, Refusal>
  /** For what HTTP itself is unhappy with (400, 404, 405, 413, 415) and for 500. */
  http: (status: number, ctx: Context) => Refusal
}

/** Seconds after which trying again makes sense: what is broken is usually repaired or failed over by then. */
const RETRY_AFTER_SECONDS = '1'

/** Turns whatever is thrown below it into the dialect's answer. */
export function answerErrors(dialect: DialectErrors, log: SystemLog): Middleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      answer(ctx, refusalFor(error, ctx))
    }
  }

  function refusalFor(error: unknown, ctx: Context): Refusal {
    if (error instanceof RefusalError) return error.refusal
    if (error instanceof AuthError) return dialect.rules[error.code]
    const status = statusOf(error)
    if (status >= 500) log.error({ err: error }, 'a request failed for a reason of ours')
    return dialect.http(status, ctx)
  }
}

/** Writes the refusal, with the headers that its status demands. */
export function answer(ctx: Context, { status, body, headers = {} }: Refusal): void {
  ctx.status = status
  ctx.body = body
  ctx.set(headers)
  if (status === 503) ctx.set('Retry-After', RETRY_AFTER_SECONDS)
}

/**
 * Lets one method through, and HEAD with GET (RFC 9110 section 9.3.2). Throws an error whose `status`
 * is 405, with `Allow` set, for the others.
 */
export function onlyMethod(method: 'GET' | 'POST'): Middleware {
  const allowed = method === 'GET' ? ['GET', 'HEAD'] : [method]
  return async (ctx, next) => {
    if (!allowed.includes(ctx.method)) {
      ctx.set('Allow', allowed.join(', '))
      throw Object.assign(new Error('method not allowed'), { status: 405 })
    }
    await next()
  }
}

// By shape: several copies of the error's class may be loaded.
function statusOf(error: unknown): number {
  const status: unknown = error instanceof Error && 'status' in error ? error.status : undefined
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500
}
