// The account API, /api/v1/auth/…: pairs that always rotate, and what users do with their sessions and accounts.
import type { ChangePasswordDeps } from '../../auth/accounts/change-password.ts'
import type { RegisterDeps } from '../../auth/accounts/register.ts'
import type { LoginDeps } from '../../auth/sessions/login.ts'
import type { LogoutEitherDeps } from '../../auth/sessions/logout-either.ts'
import type { RefreshDeps } from '../../auth/sessions/refresh.ts'
import type { Dialect } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { deleteMe } from './delete-me.ts'
import { deleteSession } from './delete-session.ts'
import { v1Errors } from './errors.ts'
import { getEvents } from './get-events.ts'
import { getMe } from './get-me.ts'
import { getSessions } from './get-sessions.ts'
import { postLogin } from './post-login.ts'
import { postLogout } from './post-logout.ts'
import { postRefresh } from './post-refresh.ts'
import { postRegister } from './post-register.ts'
import { putPassword } from './put-password.ts'

export type V1Deps = LoginDeps &
  RefreshDeps &
  LogoutEitherDeps &
  RegisterDeps &
  ChangePasswordDeps &
  CallerOf & {
    /** `REGISTRATION`: where it is closed, there is no such endpoint. */
    isRegistrationOpen: boolean
  }

export function v1(deps: V1Deps): Dialect {
  return {
    errors: v1Errors,
    prefix: '/api/v1',
    endpoints: [
      ...(deps.isRegistrationOpen ? [postRegister(deps)] : []),
      postLogin(deps),
      postRefresh(deps),
      postLogout(deps),
      getMe(deps),
      deleteMe(deps),
      putPassword(deps),
      getSessions(deps),
      deleteSession(deps),
      getEvents(deps),
    ],
  }
}
