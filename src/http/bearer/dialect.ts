// The bearer logout, POST /logout: an access token, ours or another service's, ends what stands behind it.
import type { Dialect } from '../endpoint.ts'
import { bearerErrors } from './errors.ts'
import { postLogout, type PostLogoutDeps } from './post-logout.ts'

export function bearer(deps: PostLogoutDeps): Dialect {
  return { errors: bearerErrors, endpoints: [postLogout(deps)] }
}
