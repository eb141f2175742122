// Refuses names that are not known in a request that ends sessions, so that nobody is told of an end that did not happen.
import type { Context } from 'koa'
import { InvalidInputError } from '../errors.ts'

/** Names that ask for nothing, wherever they stand. A token is none of them: it says whose session is meant. */
const NO_INSTRUCTION: ReadonlySet<string> = new Set([
  ...['csrf', 'csrf_token', 'csrftoken', 'csrfmiddlewaretoken', '_csrf', '_token', 'xsrf_token'],
  ...['_', 't', 'ts', 'timestamp', 'cb', 'cachebuster', 'nocache'],
])

/** Of a name that is echoed to the caller: the rest of it is cut off. */
const MAX_NAME = 50

export interface Said {
  /** The body. */
  fields: object
  /** The names that the endpoint reads from the query and from the body. */
  known: readonly string[]
  /** The names that it reads from the body alone. */
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
