// The three ways to ask for a refresh, each with a login of its own, seen alike.
import { browserClient, COOKIE_NAME } from '../clients/browser-client.ts'
import { claimsOf, PASSWORD } from './environment.ts'
import type { Answer, Signoff } from './signoff.ts'

export interface RefreshDialect {
  name: string
  /** The body of the 401 for a token whose session is over, and for one that has expired. */
  denied: object
  expired: object
  /** Resolves to a refresh token of a new session. */
  login(signoff: Signoff): Promise<string>
  refresh(signoff: Signoff, token: string): Promise<Refreshed>
}

export interface Refreshed {
  status: number
  body: unknown
  /** `undefined` where there is none. */
  successor: string | undefined
  access: string | undefined
}

const credentials = { username: 'alice', password: PASSWORD }
const tokenNotValid = (detail: string) => ({ detail, code: 'token_not_valid' })
const notAuthenticated = { error_code: 'NOT_AUTHENTICATED', message: 'You are not logged in.' }
const problem = (code: string, detail: string) => ({
  type: 'about:blank',
  title: 'Unauthorized',
  status: 401,
  code,
  detail,
})

export const REFRESH_DIALECTS: readonly RefreshDialect[] = [
  {
    name: 'the token API',
    denied: tokenNotValid('Token is blacklisted'),
    expired: tokenNotValid('Token is expired'),
    login: async (signoff) => field(await signoff.post('/auth/login/', credentials), 'refresh') ?? '',
    refresh: async (signoff, token) => {
      const answer = await signoff.post('/auth/token/refresh/', { refresh: token })
      return refreshed(answer, field(answer, 'refresh'), field(answer, 'access'))
    },
  },
  {
    name: 'the account API',
    denied: problem('token_revoked', 'The session of the token is over.'),
    expired: problem('token_expired', 'The token has expired.'),
    login: async (signoff) =>
      field(await signoff.post('/api/v1/auth/login', credentials), 'refresh_token') ?? '',
    refresh: async (signoff, token) => {
      const answer = await signoff.post('/api/v1/auth/refresh', { refresh_token: token })
      return refreshed(answer, field(answer, 'refresh_token'), field(answer, 'access_token'))
    },
  },
  {
    name: 'the browser session',
    denied: notAuthenticated,
    expired: notAuthenticated,
    login: async (signoff) => {
      const page = browserClient(signoff)
      const login = await page.call('/auth/session', { json: credentials })
      csrfTokens.set(sidOf((await page.cookie()) ?? ''), field(login, 'csrf_token') ?? '')
      return (await page.cookie()) ?? ''
    },
    refresh: async (signoff, token) => {
      const answer = await signoff.call('/auth/session/refresh', {
        headers: {
          Cookie: `${COOKIE_NAME}=${token}`,
          'X-CSRF-Token': csrfTokens.get(sidOf(token)) ?? '',
        },
      })
      const cookie = /^[^=]+=([^;]*)/.exec(answer.headers['set-cookie'] ?? '')?.[1]
      return refreshed(answer, cookie, field(answer, 'access'))
    },
  },
]

/** Of the sessions that were begun here. */
const csrfTokens = new Map<string, string>()

function sidOf(token: string): string {
  return String(claimsOf(token)['sid'])
}

function field({ json }: Answer, name: string): string | undefined {
  return (json as Record<string, string> | undefined)?.[name]
}

function refreshed(answer: Answer, successor: string | undefined, access: string | undefined): Refreshed {
  return { status: answer.status, body: answer.json, successor, access }
}
