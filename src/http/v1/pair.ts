// A pair of tokens, as login, register and refresh answer it.
import { z } from 'zod'
import type { SignedAccess, SignedRefresh } from '../../auth/ports/tokens.ts'
import { ACCESS_TOKEN, ACCESS_TOKEN_SECONDS, REFRESH_TOKEN } from '../describe/samples.ts'

export const pair = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.int().describe('Seconds the access token lives.'),
})

/** For the examples of the description. */
export const PAIR: z.infer<typeof pair> = {
  access_token: ACCESS_TOKEN,
  refresh_token: REFRESH_TOKEN,
  token_type: 'Bearer',
  expires_in: ACCESS_TOKEN_SECONDS,
}

export function pairOf(tokens: { access: SignedAccess; refresh: SignedRefresh }): z.infer<typeof pair> {
  return {
    access_token: tokens.access.token,
    refresh_token: tokens.refresh.token,
    token_type: 'Bearer',
    expires_in: tokens.access.expiresIn,
  }
}
