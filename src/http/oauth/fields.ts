// The form of introspection and revocation, and the peer that sends it.
import type { Context } from 'koa'
import { z } from 'zod'
import { authenticatePeer, type AuthenticatePeerDeps } from '../../auth/peers/authenticate-peer.ts'
import { clientCredentials } from '../request/client-credentials.ts'
import { InvalidInputError } from '../errors.ts'
import { onlyValue, readForm } from '../request/form-body.ts'
import type { CallerOf } from '../request/caller.ts'

/** As described; what of it is checked, and in which order, is below. */
export const tokenForm = z.object({
  token: z.string(),
  token_type_hint: z.string().optional().meta({ description: 'Not needed, and ignored.' }),
  client_id: z.string().optional().meta({ description: 'Instead of the Authorization header.' }),
  client_secret: z.string().optional().meta({ description: 'Instead of the Authorization header.' }),
})

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
  if (token === null) throw new InvalidInputError([{ field: 'token', message: 'This field is required.' }])
  return { token, clientId }
}
