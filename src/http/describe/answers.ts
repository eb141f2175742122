// The parts of operations: bodies and answers, each with an example; refusals in their dialect's own words.
import { STATUS_CODES } from 'node:http'
import type { Context } from 'koa'
import { z } from 'zod'
import type {
  oas31,
  ZodOpenApiRequestBodyObject,
  ZodOpenApiResponseObject,
  ZodOpenApiResponsesObject,
} from 'zod-openapi'
import { AuthError, type AuthErrorCode } from '../../auth/errors.ts'
import { RefusalError, type DialectErrors, type FieldProblem, type Refusal } from '../errors.ts'

/** The headers that `openApiDocument` describes, once for all answers. */
export type DescribedHeader =
  | 'Retry-After'
  | 'Set-Cookie'
  | 'WWW-Authenticate'
  | 'X-Auth-Role'
  | 'X-Auth-Session'
  | 'X-Auth-User'
  | 'X-Request-Id'

/** Only for its example: long enough to be told with a number. */
const RETRY_AFTER_SECONDS = 30

/** A required body. The schema is the one that validates it. */
export function takes<Schema extends z.ZodType>(
  schema: Schema,
  example: z.input<Schema>,
  mediaTypes: readonly string[] = ['application/json'],
): ZodOpenApiRequestBodyObject & { required: boolean } {
  const content = Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema, example }]))
  return { required: true, content }
}

/** An answer in JSON. */
export function answers<Schema extends z.ZodType>(
  description: string,
  schema: Schema,
  example: z.output<Schema>,
): ZodOpenApiResponseObject {
  return { description, content: { 'application/json': { schema, example } } }
}

/** References to what `openApiDocument` says of these headers. */
export function headers(...names: DescribedHeader[]): oas31.HeadersObject {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

/** One dialect's way to say no, and what it says it about. */
export interface Refusals {
  errors: DialectErrors
  /** Of the body. */
  schema: z.ZodType
  /** Where it is not `application/json`. */
  mediaType?: string
  /** Tells the examples of two dialects apart, where one endpoint speaks both. */
  prefix?: string
  rules?: readonly AuthErrorCode[]
  /** Statuses for what HTTP itself is unhappy with. */
  http?: readonly number[]
  /** The problems that the fields of the body may have. */
  problems?: readonly FieldProblem[]
  /** The refusals of the endpoint's own, by the name of the example. */
  others?: Readonly<Record<string, Refusal>>
}

interface Example {
  name: string
  refusal: Refusal
  schema: z.ZodType
  mediaType: string
}

/** The refusals of an operation by status: an example for each reason, taken from where answers come from. */
export function refusals(...parts: Refusals[]): ZodOpenApiResponsesObject {
  const byStatus = groupBy(parts.flatMap(examplesOf), ({ refusal }) => refusal.status)
  const responses: Record<string, ZodOpenApiResponseObject> = {}
  for (const [status, examples] of byStatus) responses[status] = refused(status, examples)
  return responses
}

/** Finds the refusals of an endpoint by trying it. */
export function refusalOf(attempt: () => unknown): Refusal {
  try {
    attempt()
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal
    throw error
  }
  throw new Error('nothing was refused')
}

function examplesOf({ errors, schema, mediaType = 'application/json', ...part }: Refusals): Example[] {
  // The words of a dialect quote no more of a request than this.
  const ctx = { method: 'POST', path: '/' } as Context
  const named: [string, Refusal][] = [
    ...(part.rules ?? []).map((code): [string, Refusal] => [code, refusalFor(errors, code)]),
    ...(part.http ?? []).map((status): [string, Refusal] => [`http_${status}`, errors.http(status, ctx, [])]),
    ...Object.entries(part.others ?? {}),
  ]
  if (part.problems) named.push(['invalid_fields', errors.http(400, ctx, part.problems)])
  const prefix = part.prefix === undefined ? '' : `${part.prefix}_`
  return named.map(([name, refusal]) => ({ name: prefix + name, refusal, schema, mediaType }))
}

function refusalFor(errors: DialectErrors, code: AuthErrorCode): Refusal {
  const words = code === 'failed' ? undefined : errors.rules[code]
  if (!words) throw new Error(`the dialect has no words for ${code}`)
  const error = new AuthError(code, { retryAfterSeconds: RETRY_AFTER_SECONDS, reasons: ['A reason.'] })
  return typeof words === 'function' ? words(error) : words
}

function refused(status: number, examples: Example[]): ZodOpenApiResponseObject {
  const given = examples.flatMap(({ refusal }) => Object.keys(refusal.headers ?? {}))
  // That one is told as the media type, and only there (OpenAPI 3.1 section 4.8.17).
  const names = given.filter((name) => name !== 'Content-Type') as DescribedHeader[]
  if (status === 503) names.push('Retry-After')
  const byMediaType = groupBy(examples, ({ mediaType }) => mediaType)
  const content = [...byMediaType].map(([mediaType, alike]) => [
    mediaType,
    {
      schema: anyOf(new Set(alike.map(({ schema }) => schema))),
      examples: Object.fromEntries(alike.map(({ name, refusal }) => [name, { value: refusal.body }])),
    },
  ])
  return {
    description: STATUS_CODES[status] ?? `Status ${status}`,
    headers: headers(...names),
    content: Object.fromEntries(content) as Exclude<ZodOpenApiResponseObject['content'], undefined>,
  }
}

function anyOf(schemas: Set<z.ZodType>): z.ZodType {
  const [first, ...others] = schemas
  if (!first) throw new Error('no schema')
  return others.length === 0 ? first : z.union([first, ...others])
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}
