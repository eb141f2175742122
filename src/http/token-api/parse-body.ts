// Reads a body in any of the three media types that the token API takes.
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { Busboy } from '@fastify/busboy'
import type { Context } from 'koa'
import { bodyOf } from '../request/body.ts'
import { HttpError, InvalidInputError, RefusalError, type Refusal } from '../errors.ts'

/** Field names and their values, of whatever type the caller gave them. */
export type Fields = Record<string, unknown>

/** The media types that `parseBody` reads. */
export const MEDIA_TYPES = [
  'application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
] as const

/** In words of our own: the parser's message would quote the body, and so perhaps a password. */
export const malformedJson: Refusal = {
  status: 400,
  body: { detail: 'JSON parse error - the body is not valid JSON' },
}

/** Echoed back to the caller; longer ones are nobody's media type. */
const MAX_MEDIA_TYPE = 100

/**
 * As `parseBody`, for other dialects: rejects with an `InvalidInputError`, or an error whose `status` is 415, and so in
 * words of their own.
 */
export async function parseBodyPlainly(ctx: Context): Promise<Fields> {
  try {
    return await parseBody(ctx)
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error
    const { status } = error.refusal
    throw status === 415 ? new HttpError(status, 'no form or JSON') : new InvalidInputError()
  }
}

/** Resolves to the fields, none for an empty body. Rejects with the 400 or 415 that a SimpleJWT client knows. */
export async function parseBody(ctx: Context): Promise<Fields> {
  const bytes = bodyOf(ctx)
  if (!bytes) return {}

  const contentType = ctx.get('Content-Type')
  switch (ctx.request.type.trim().toLowerCase()) {
    case 'application/json':
      return expectDictionary(parseJson(bytes))
    case 'application/x-www-form-urlencoded':
      return fieldsOf(new URLSearchParams(decodeUtf8(bytes, 'Form')))
    case 'multipart/form-data':
      return await parseMultipart(bytes, contentType)
    default: {
      const mediaType = contentType.slice(0, MAX_MEDIA_TYPE)
      throw refusal(415, `Unsupported media type "${mediaType}" in request.`)
    }
  }
}

function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes, 'JSON')
  try {
    return JSON.parse(text)
  } catch {
    throw new RefusalError(malformedJson)
  }
}

function expectDictionary(value: unknown): Fields {
  if (value === null) throw nonField('No data provided')
  if (typeof value === 'object' && !Array.isArray(value)) return value as Fields
  throw nonField(`Invalid data. Expected a dictionary, but got ${pythonType(value)}.`)
}

async function parseMultipart(bytes: Uint8Array, contentType: string): Promise<Fields> {
  try {
    const values: [name: string, value: unknown][] = []
    const parser = new Busboy({ headers: { 'content-type': contentType } })
    parser.on('field', (name: string, value: string) => {
      values.push([name, value])
    })
    // A file is no text, whatever it holds.
    parser.on('file', (name: string, file: Readable) => {
      values.push([name, {}])
      // Cut short, the file reports it apart from the parser; unheard, that would end the process.
      file.on('error', () => undefined).resume()
    })
    parser.end(bytes)
    await finished(parser)
    return fieldsOf(values)
  } catch {
    throw refusal(400, 'Multipart form parse error - the body is not valid multipart/form-data')
  }
}

/** A field that says two different things is a list of both, and so of no type that is taken. */
function fieldsOf(values: Iterable<[name: string, value: unknown]>): Fields {
  const fields = new Map<string, unknown>()
  for (const [name, value] of values) {
    const before = fields.get(name)
    if (Array.isArray(before)) continue
    fields.set(name, fields.has(name) && before !== value ? [before, value] : value)
  }
  return Object.fromEntries(fields)
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw refusal(400, `${what} parse error - the body is not valid UTF-8`)
  }
}

function pythonType(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  return 'str'
}

function refusal(status: number, detail: string): RefusalError {
  return new RefusalError({ status, body: { detail } })
}

function nonField(message: string): RefusalError {
  return new RefusalError({ status: 400, body: { non_field_errors: [message] } })
}
