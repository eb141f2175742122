// Speaks /api/v1/auth, and says what answers to expect of it.
import { STATUS_CODES } from 'node:http'
import { expect } from 'chai'
import { claimsOf, PASSWORD } from '../../support/service/environment.ts'
import type { Answer, Signoff } from '../../support/service/signoff.ts'

export interface V1Pair {
  access_token: string
  refresh_token: string
  token_type: 'Bearer'
  expires_in: number
}

export interface V1Request {
  /** Sent as Bearer token. */
  as?: string
  json?: unknown
  userAgent?: string
}

export interface V1Client {
  /** `request` is a method and a path below /api/v1/auth: `GET /me`. */
  call(request: string, options?: V1Request): Promise<Answer>
  /** One more session; fails the test where that fails. */
  login(username?: string, userAgent?: string): Promise<V1Pair>
  /** The code of what a refresh is refused with, or `refreshed`. */
  refreshed(pair: V1Pair): Promise<string>
  /** The same of the access token. */
  accepted(pair: V1Pair): Promise<string>
}

export function v1Client(signoff: () => Signoff): V1Client {
  const call: V1Client['call'] = async (request, { as, json, userAgent } = {}) => {
    const [method = '', path = ''] = request.split(' ')
    return await signoff().call(`/api/v1/auth${path}`, {
      method,
      ...(json !== undefined && { json }),
      headers: {
        ...(as !== undefined && { Authorization: `Bearer ${as}` }),
        ...(userAgent !== undefined && { 'User-Agent': userAgent }),
      },
    })
  }
  const codeOf = ({ json }: Answer): string => (json as { code?: string } | undefined)?.code ?? ''

  return {
    call,
    login: async (username = 'alice', userAgent) => {
      const answer = await call('POST /login', {
        json: { username, password: PASSWORD },
        ...(userAgent !== undefined && { userAgent }),
      })
      expect(answer.status, answer.text).to.equal(200)
      return answer.json as V1Pair
    },
    refreshed: async ({ refresh_token }) => {
      const answer = await call('POST /refresh', { json: { refresh_token } })
      return answer.status === 200 ? 'refreshed' : codeOf(answer)
    },
    accepted: async ({ access_token }) => {
      const answer = await call('GET /me', { as: access_token })
      return answer.status === 200 ? 'accepted' : codeOf(answer)
    },
  }
}

export const sidOf = (pair: V1Pair): string => String(claimsOf(pair.access_token)['sid'])

const CHALLENGE: Record<string, string> = {
  token_missing: 'Bearer realm="api"',
  invalid_credentials: 'Bearer realm="api"',
}

/** Holds the answer against RFC 9457, and a 401 against RFC 6750. */
export function expectProblem(answer: Answer, status: number, code: string): void {
  const body = answer.json as Record<string, unknown>
  expect(answer.status, answer.text).to.equal(status)
  expect(answer.headers['content-type']).to.equal('application/problem+json')
  // Where there is no endpoint, nothing is said about caches.
  if (code !== 'not_found') expect(answer.headers['cache-control']).to.equal('no-store')
  expect(body).to.include({ type: 'about:blank', title: STATUS_CODES[status], status, code })
  expect(body['detail']).to.be.a('string')
  const challenge = CHALLENGE[code] ?? 'Bearer realm="api", error="invalid_token"'
  expect(answer.headers['www-authenticate']).to.equal(status === 401 ? challenge : undefined)
}
