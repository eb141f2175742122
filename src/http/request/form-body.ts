// Reads a form (application/x-www-form-urlencoded), for the dialects that take nothing else.
import type { Context } from 'koa'
import { bodyOf } from './body.ts'
import { HttpError, InvalidInputError } from '../errors.ts'

/**
 * The fields; an absent body counts as none. Throws `InvalidInputError` (400) for bad UTF-8, or an error whose
 * `status` is 415 for another content type.
 */
export function readForm(ctx: Context): URLSearchParams {
  const bytes = bodyOf(ctx)
  if (!bytes) return new URLSearchParams()
  if (ctx.request.type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new HttpError(415, 'no form')
  }
  try {
    return new URLSearchParams(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new InvalidInputError([{ field: 'body', message: 'UTF-8 is expected.' }])
  }
}

/**
 * The value of that field; `null` where it is absent or empty, which OAuth takes for the same (RFC 6749
 * section 3.2). Throws `InvalidInputError` where it is there twice.
 */
export function onlyValue(form: URLSearchParams, field: string): string | null {
  const values = form.getAll(field)
  if (values.length > 1) throw new InvalidInputError([{ field, message: 'This field may not be repeated.' }])
  return values[0] || null
}
