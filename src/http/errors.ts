// Answers that are not successes: one way to say no, told in each dialect's own words.
import type { Context, Middleware } from 'koa'
import { AuthError, type AccountErrorCode, type CredentialErrorCode } from '../auth/errors.ts'
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

type Words = Refusal | ((error: AuthError) => Refusal)

/**
 * How a dialect says each thing that can go wrong; a new code does not compile until every dialect has
 * words for it, those about accounts only where a dialect manages accounts.
 */
export interface DialectErrors {
  rules: Record<CredentialErrorCode, Words> & Partial<Record<AccountErrorCode, Words>>
  /** For what HTTP itself is unhappy with (400, 404, 405, 413, 415) and for 500. */
  http: (status: number, ctx: Context, problems: readonly FieldProblem[]) => Refusal
}

/** A problem with one field of a body. */
export interface FieldProblem {
  field: string
  message: string
}

/** All of them in one line, for words that have but one. */
export function sentenceOf(problems: readonly FieldProblem[]): string {
  return problems.map(({ field, message }) => `${field}: ${message}`).join(' ')
}

/** HTTP itself is unhappy with the request: the dialect has words for the status. */
export class HttpError extends Error {
  override readonly name: string = 'HttpError'
  readonly status: number

  /** `status`: one from 400 to 499. */
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** The body, or the query, is not what the endpoint takes. */
export class InvalidInputError extends HttpError {
  override readonly name = 'InvalidInputError'
  readonly problems: readonly FieldProblem[]

  constructor(problems: readonly FieldProblem[] = []) {
    super(400, 'invalid input')
    this.problems = problems
  }
}

/** An answer of 429, whose header says how long to wait. */
export function throttledRefusal({ retryAfterSeconds }: AuthError, body: object): Refusal {
  return { status: 429, body, headers: { 'Retry-After': String(retryAfterSeconds) } }
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
    if (error instanceof AuthError && error.code !== 'failed') {
      const words = dialect.rules[error.code]
      if (words) return typeof words === 'function' ? words(error) : words
    }
    const status = statusOf(error)
    if (status >= 500) log.error({ err: error }, 'a request failed for a reason of ours')
    return dialect.http(status, ctx, error instanceof InvalidInputError ? error.problems : [])
  }
}

/** Writes the refusal, with the headers that its status demands. */
export function answer(ctx: Context, { status, body, headers = {} }: Refusal): void {
  ctx.status = status
  ctx.body = body
  ctx.set(headers)
  if (status === 503) ctx.set('Retry-After', RETRY_AFTER_SECONDS)
}

// By shape: the errors of Koa and of the body parser are of classes of their own.
function statusOf(error: unknown): number {
  const status: unknown = error instanceof Error && 'status' in error ? error.status : undefined
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500
}
