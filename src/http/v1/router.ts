// The account API, /api/v1/auth/…: pairs that always rotate, and what users do with their sessions and accounts.
import type { ChangePasswordDeps } from '../../auth/accounts/change-password.ts'
import type { LoginDeps } from '../../auth/sessions/login.ts'
import type { LogoutEitherDeps } from '../../auth/sessions/logout-either.ts'
import type { RefreshDeps } from '../../auth/sessions/refresh.ts'
import type { RegisterDeps } from '../../auth/accounts/register.ts'
import type { Dialect, Endpoint } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import * as accountOperations from './account-operations.ts'
import { deleteMe } from './delete-me.ts'
import { deleteSession } from './delete-session.ts'
import { v1Errors } from './errors.ts'
import { getEvents } from './get-events.ts'
import { getMe } from './get-me.ts'
import { getSessions } from './get-sessions.ts'
import * as operations from './operations.ts'
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
  const registration: Endpoint = {
    method: 'POST',
    path: '/api/v1/auth/register',
    operation: operations.register,
    handler: postRegister(deps),
  }
  return {
    errors: v1Errors,
    prefix: '/api/v1',
    endpoints: [...(deps.isRegistrationOpen ? [registration] : []), ...tokens(deps), ...account(deps)],
  }
}

function tokens(deps: V1Deps): Endpoint[] {
  return [
    { method: 'POST', path: '/api/v1/auth/login', operation: operations.login, handler: postLogin(deps) },
    {
      method: 'POST',
      path: '/api/v1/auth/refresh',
      operation: operations.refresh,
      handler: postRefresh(deps),
    },
    { method: 'POST', path: '/api/v1/auth/logout', operation: operations.logout, handler: postLogout(deps) },
  ]
}

function account(deps: V1Deps): Endpoint[] {
  return [
    { method: 'GET', path: '/api/v1/auth/me', operation: accountOperations.readMe, handler: getMe(deps) },
    {
      method: 'DELETE',
      path: '/api/v1/auth/me',
      operation: accountOperations.removeMe,
      handler: deleteMe(deps),
    },
    {
      method: 'PUT',
      path: '/api/v1/auth/password',
      operation: accountOperations.changePassword,
      handler: putPassword(deps),
    },
    {
      method: 'GET',
      path: '/api/v1/auth/sessions',
      operation: accountOperations.listSessions,
      handler: getSessions(deps),
    },
    {
      method: 'DELETE',
      path: '/api/v1/auth/sessions/:id',
      operation: accountOperations.revokeSession,
      handler: deleteSession(deps),
    },
    {
      method: 'GET',
      path: '/api/v1/auth/events',
      operation: accountOperations.listEvents,
      handler: getEvents(deps),
    },
  ]
}
