// A denylist by asking the service about each token (RFC 7662).
import { readBody } from '../remote/read-body.ts'
import { askedSource } from './asked-source.ts'
import { untilAnswered } from './background.ts'
import { basicCredentials, type ClientCredentials } from './client-credentials.ts'
import type { DenylistSource } from './denylist.ts'
import type { Fetch } from './fetch.ts'
import { issuerUrl } from './issuer-url.ts'

export interface IntrospectionOptions extends ClientCredentials {
  /** `${issuer}/oauth/introspect` by default. */
  url?: string
}

const INTROSPECTION_PATH = '/oauth/introspect'
const TIMEOUT_MS = 2_000
const MAX_ANSWER_BYTES = 64 * 1024

/**
 * One request to the service for each check, 256 at a time at the most, each of 2 seconds at the most; it is
 * sent after the token's signature was verified here. Whatever is no answer (401 and 503 included) is unknown.
 * It cannot tell when a session ends: `onSessionEnd` throws.
 */
export function introspection({ url, ...credentials }: IntrospectionOptions): DenylistSource {
  const authorization = basicCredentials(credentials)

  return ({ issuer, fetch, onError }) => {
    const endpoint = issuerUrl(issuer, INTROSPECTION_PATH, url).href
    const source = askedSource({ name: 'introspection', timeoutMs: TIMEOUT_MS, onError })
    const closing = new AbortController()
    const introspect = async (token: string) =>
      await source.ask(async () => await post(fetch, endpoint, { authorization, token }))

    return {
      async check({ token, claims }) {
        const answer = await introspect(token)
        if (!answer) return 'unknown'
        if (!answer.active) return 'denied'
        // An answer about some other token is none.
        return answer.jti === claims.jti ? 'live' : 'unknown'
      },

      onSessionEnd() {
        throw new Error('introspection cannot tell when a session ends: use feed or redis')
      },

      freshness: source.freshness,

      // Any question will do: "not active" is an answer.
      whenKnown: async () => {
        await untilAnswered(async () => await introspect('ready'), closing.signal)
      },

      close: async () => {
        closing.abort()
        await Promise.resolve()
      },
    }
  }
}

interface Introspected {
  active: boolean
  jti?: unknown
}

async function post(
  fetch: Fetch,
  url: string,
  { authorization, token }: { authorization: string; token: string },
): Promise<Introspected> {
  const { status, body } = await fetch(url, {
    method: 'POST',
    headers: {
      authorization,
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (status !== 200) {
    await body?.cancel()
    throw new Error(`${url} answered ${status}`)
  }
  const answer: unknown = JSON.parse(new TextDecoder().decode(await readBody(body, MAX_ANSWER_BYTES)))
  if (typeof (answer as Introspected | null)?.active !== 'boolean')
    throw new Error(`${url} answered something else`)
  return answer as Introspected
}
