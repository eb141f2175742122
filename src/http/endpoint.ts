// One endpoint: what it answers to, and what it says of itself; and a dialect, which is many of them.
import type { Context } from 'koa'
import type { ZodOpenApiOperationObject } from 'zod-openapi'
import type { DialectErrors } from './errors.ts'

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
