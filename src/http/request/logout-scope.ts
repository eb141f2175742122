// Which sessions a logout means, as its body and its query say it in one word or the other.
import type { Context } from 'koa'
import { z } from 'zod'
import type { LogoutScope } from '../../auth/sessions/end-session.ts'
import { InvalidInputError } from '../errors.ts'
import { requireKnownNames } from './known-names.ts'

const SCOPES = ['this', 'others', 'all'] as const satisfies readonly LogoutScope[]

const SCOPE_EXPECTED = 'this, others or all is expected.'
const FLAG_EXPECTED = 'true or false is expected.'

export const logoutScopeFields = z.object({
  all_devices: z
    .union([z.boolean(), z.enum(['true', 'false'])], FLAG_EXPECTED)
    .optional()
    .describe('Whether every session of the user ends: `true` says the same as the scope `all`.'),
  scope: z
    .enum(SCOPES, SCOPE_EXPECTED)
    .optional()
    .describe('The session at hand (`this`, the default), all `others` of its user, or `all`.'),
})

const NAMES = Object.keys(logoutScopeFields.shape)

/**
 * Throws `InvalidInputError` (400) for what is not understood, for names that are not known, and where two of the four
 * places contradict each other: a person who wants all devices out must not be told that they are.
 */
export function readLogoutScope(
  ctx: Context,
  fields: object,
  knownInBody: readonly string[] = [],
): LogoutScope {
  requireKnownNames(ctx, { fields, known: NAMES, knownInBody })
  const said = [fields, ctx.query].map((source) => readSaid(source))
  const scopes = new Set(said.flatMap(({ scope }) => scope ?? []))
  const flags = new Set(said.flatMap(({ all_devices: flag }) => (flag === undefined ? [] : [String(flag)])))
  if (flags.has('true')) scopes.add('all')

  const [scope = 'this'] = scopes
  const isDenied = flags.has('false') && (scope === 'all' || flags.has('true'))
  if (scopes.size > 1 || isDenied) {
    throw new InvalidInputError([{ field: 'scope', message: 'The request says two different things.' }])
  }
  return scope
}

function readSaid(source: object): z.infer<typeof logoutScopeFields> {
  const result = logoutScopeFields.safeParse(source)
  if (result.success) return result.data
  const problems = new Map(result.error.issues.map(({ path, message }) => [path.join('.'), message]))
  throw new InvalidInputError([...problems].map(([field, message]) => ({ field, message })))
}
