// Trades a username and password for a pair of tokens: one session on one device begins.
import { v7 as uuidv7 } from 'uuid'
import { AuthError } from './errors.ts'
import type { AuditLog, Grant, Origin, Passwords, Sessions, Tokens, Users } from './ports.ts'

export interface LoginDeps {
  users: Users
  sessions: Sessions
  passwords: Passwords
  tokens: Tokens
  auditLog: AuditLog
  /** A hash of nothing anybody knows, verified where there is no account, so that both cost the same. */
  decoyHash: string
}

export interface LoginInput {
  username: string
  password: string
  origin: Origin
}

export interface Pair {
  access: string
  refresh: string
}

/**
 * Resolves once the session is durable. Rejects with `credentials_invalid`, alike in time for
 * unknown user, wrong password and inactive user, or with `unavailable`.
 */
export async function login(deps: LoginDeps, input: LoginInput): Promise<Pair> {
  const { origin, password } = input
  const account = await deps.users.findByUsername(input.username)
  const matches = await deps.passwords.verify(account?.passwordHash ?? deps.decoyHash, password)

  if (account?.isActive && matches) {
    const grant: Grant = { sid: uuidv7(), userId: account.id, scope: account.role }
    const refresh = deps.tokens.signRefresh(grant)
    const begun = await deps.sessions.begin(
      {
        id: grant.sid,
        account,
        ...(deps.passwords.isOutdated(account.passwordHash) && {
          rehashed: await deps.passwords.hash(password),
        }),
        refreshJti: refresh.jti,
        expiresAt: refresh.exp,
      },
      { type: 'USER_LOGIN', origin, userId: account.id },
    )
    if (begun) return { access: deps.tokens.signAccess(grant, refresh.exp), refresh: refresh.token }
  }

  await deps.auditLog.write({
    type: 'USER_LOGIN_FAILED',
    origin,
    // The name itself is not kept: people type their password into that field.
    ...(account ? { userId: account.id } : { message: 'unknown user' }),
  })
  throw new AuthError('credentials_invalid')
}
