// The form of introspection and revocation: how it is described, and how it and the peer that sends it are read.
import type { Context } from 'koa'
import { z } from 'zod'
import type { ZodOpenApiResponsesObject } from 'zod-openapi'
import type { AuthErrorCode } from '../../auth/errors.ts'
import { authenticatePeer, type AuthenticatePeerDeps } from '../../auth/peers/authenticate-peer.ts'
import { takes } from '../describe/answers.ts'
import { ACCESS_TOKEN } from '../describe/samples.ts'
import { InvalidInputError, type FieldProblem } from '../errors.ts'
import type { CallerOf } from '../request/caller.ts'
import { clientCredentials } from '../request/client-credentials.ts'
import { onlyValue, readForm } from '../request/form-body.ts'
import { refused } from './refusals.ts'
import { TAGS } from './tags.ts'

/** As described; what of it is checked, and in which order, is below. */
const tokenForm = z.object({
  token: z.string(),
  token_type_hint: z.string().optional().meta({ description: 'Not needed, and ignored.' }),
  client_id: z.string().optional().meta({ description: 'Instead of the Authorization header.' }),
  client_secret: z.string().optional().meta({ description: 'Instead of the Authorization header.' }),
})

const TOKEN_MISSING: FieldProblem = { field: 'token', message: 'This field is required.' }

export const ASKED_WITH_TOKEN = {
  tags: TAGS,
  security: [{ peer: [] }],
  requestBody: takes(tokenForm, { token: ACCESS_TOKEN }, ['application/x-www-form-urlencoded']),
}

/** The refusals of an endpoint that takes the form. */
export function refusedWithToken(...rules: AuthErrorCode[]): ZodOpenApiResponsesObject {
  return refused({ rules, http: [413, 415, 500], problems: [TOKEN_MISSING] })
}

export type TokenFormDeps = AuthenticatePeerDeps & CallerOf

export interface TokenQuestion {
  token: string
  /** The peer that asks. */
  clientId: string
}

/**
 * Resolves to what is asked by whom, and keeps the answer out of caches, old ones too. Rejects with
 * `InvalidInputError`, or as `authenticatePeer` does.
 */
export async function readTokenForm(deps: TokenFormDeps, ctx: Context): Promise<TokenQuestion> {
  ctx.set('Pragma', 'no-cache')
  const form = readForm(ctx)
  const credentials = clientCredentials(ctx, form)
  const clientId = await authenticatePeer(deps, { credentials, caller: deps.callerOf(ctx) })

  onlyValue(form, 'token_type_hint')
  const token = onlyValue(form, 'token')
  if (token === null) throw new InvalidInputError([TOKEN_MISSING])
  return { token, clientId }
}
