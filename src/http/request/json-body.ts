// Reads a JSON body against a schema, for the dialects that take nothing but JSON.
import type { Context } from 'koa'
import type { z } from 'zod'
import { bodyOf } from './body.ts'
import { type FieldProblem, HttpError, InvalidInputError } from '../errors.ts'
import { isWellFormed } from './well-formed.ts'

/**
 * The fields, unknown ones left out; an absent body counts as `{}`. Throws `InvalidInputError` (400), or an
 * error whose `status` is 415 for another content type: a foreign page's form cannot send JSON unasked.
 */
export function readJson<Schema extends z.ZodObject>(ctx: Context, schema: Schema): z.infer<Schema> {
  const bytes = bodyOf(ctx)
  if (bytes && ctx.request.type.trim().toLowerCase() !== 'application/json') {
    throw new HttpError(415, 'not JSON')
  }
  const body = bytes ? parseJson(bytes) : {}
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new InvalidInputError([{ field: 'body', message: 'A JSON object is expected.' }])
  }
  return readFields(body, schema)
}

/** The fields, unknown ones left out. Throws `InvalidInputError` with what is wrong with each. */
export function readFields<Schema extends z.ZodObject>(input: object, schema: Schema): z.infer<Schema> {
  const result = schema.safeParse(input)
  const problems = result.success
    ? illFormedFields(result.data)
    : result.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }))
  if (result.success && problems.length === 0) return result.data

  throw new InvalidInputError(problems)
}

/** Here for every field of every schema: written as UTF-8, different ill-formed texts would become the same. */
function illFormedFields(fields: object): FieldProblem[] {
  return Object.entries(fields)
    .filter(([, value]) => typeof value === 'string' && !isWellFormed(value))
    .map(([field]) => ({ field, message: 'Well-formed Unicode is expected.' }))
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new InvalidInputError()
  }
}
