// A pair of tokens, as login, register and refresh answer it.
import type { SignedAccess, SignedRefresh } from '../../auth/ports/tokens.ts'

export interface Pair {
  access_token: string
  refresh_token: string
  token_type: 'Bearer'
  /** Seconds the access token lives. */
  expires_in: number
}

export function pairOf({ access, refresh }: { access: SignedAccess; refresh: SignedRefresh }): Pair {
  return {
    access_token: access.token,
    refresh_token: refresh.token,
    token_type: 'Bearer',
    expires_in: access.expiresIn,
  }
}
