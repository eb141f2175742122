// What a request that ends sessions may say: who asks for something that is not known must not be told that it is done.
import type { Context } from 'koa'
import { InvalidInputError } from './errors.ts'

/** Names that ask for nothing, wherever they stand: tokens, the fields of CSRF protection, and cache busters. */
const NO_INSTRUCTION: ReadonlySet<string> = new Set([
  ...['token', 'access', 'access_token', 'refresh', 'refresh_token', 'id_token'],
  ...['csrf', 'csrf_token', 'csrftoken', 'csrfmiddlewaretoken', '_csrf', '_token', 'xsrf_token'],
  ...['_', 't', 'ts', 'timestamp', 'cb', 'cachebuster', 'nocache'],
])

/** Names are echoed back to the caller; longer ones are cut. */
const MAX_NAME = 50

export interface Said {
  /** Of the body. */
  fields: object
  /** The names that mean something here, in the query as in the body. */
  known: readonly string[]
  /** Those that mean something in the body alone. */
  knownInBody?: readonly string[]
}

/** Throws `InvalidInputError` (400), which names each name that is not known, and those that are. */
export function requireKnownNames(ctx: Context, { fields, known, knownInBody = [] }: Said): void {
  const all = [...known, ...knownInBody]
  const unknown = [...unknownAmong(Object.keys(ctx.query), known), ...unknownAmong(Object.keys(fields), all)]
  if (unknown.length === 0) return
  const expected = all.length === 0 ? 'nothing is taken here' : `only ${all.join(', ')} can be said here`
  throw new InvalidInputError(
    unknown.map((field) => ({
      field: field.slice(0, MAX_NAME),
      message: `This is not known, so nothing was ended: ${expected}.`,
    })),
  )
}

function unknownAmong(names: readonly string[], known: readonly string[]): string[] {
  return names.filter((name) => !known.includes(name) && !NO_INSTRUCTION.has(name))
}
