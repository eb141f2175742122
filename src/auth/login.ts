// Trades a username and password for a pair of tokens: one session on one device begins.
import { v7 as uuidv7 } from 'uuid'
import { AuthError } from './errors.ts'
import type { Account, AuditLog, Grant, Origin, Passwords, Sessions, Tokens, Users } from './ports.ts'

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
  // The account may change between reading it and beginning the session, when another device has
  // its hash renewed, say; whoever knows the password that then holds is not turned away.
  const attempt = await tryLogin(deps, input)
  const { pair, account } = attempt.hasChanged ? await tryLogin(deps, input) : attempt
  if (pair) return pair

  await deps.auditLog.write({
    type: 'USER_LOGIN_FAILED',
    origin: input.origin,
    // The name itself is not kept: people type their password into that field.
    ...(account ? { userId: account.id } : { message: 'unknown user' }),
  })
  throw new AuthError('credentials_invalid')
}

interface Attempt {
  account: Account | null
  pair: Pair | null
  /** The password was right, but the account was no longer as it was read. */
  hasChanged: boolean
}

async function tryLogin(deps: LoginDeps, { username, password, origin }: LoginInput): Promise<Attempt> {
  const account = await deps.users.findByUsername(username)
  const matches = await deps.passwords.verify(account?.passwordHash ?? deps.decoyHash, password)
  if (!account?.isActive || !matches) return { account, pair: null, hasChanged: false }

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
  const pair = begun ? { access: deps.tokens.signAccess(grant, refresh.exp), refresh: refresh.token } : null
  return { account, pair, hasChanged: !begun }
}
