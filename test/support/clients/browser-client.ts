// A browser as far as cookies go: a jar that follows the rules for them, and the headers that a page would send.
import { CookieJar } from 'tough-cookie'
import type { Answer, CallOptions, Signoff } from '../service/signoff.ts'

export interface BrowserClient {
  /** Sends the jar's cookies, and keeps those that the answer sets. */
  call(path: string, options?: CallOptions): Promise<Answer>
  /** The value of the session cookie; `null` where there is none. */
  cookie(): Promise<string | null>
  /** Puts a value there by hand. */
  setCookie(value: string): Promise<void>
}

export const COOKIE_NAME = '__Host-signoff'

export function browserClient(signoff: Signoff): BrowserClient {
  const jar = new CookieJar(undefined, { prefixSecurity: 'strict' })
  return {
    call: async (path, options = {}) => {
      const url = `${signoff.url}${path}`
      const cookies = await jar.getCookieString(url)
      const answer = await signoff.call(path, {
        ...options,
        headers: { ...(cookies !== '' && { Cookie: cookies }), ...options.headers },
      })
      const setCookie = answer.headers['set-cookie']
      if (setCookie !== undefined) await jar.setCookie(setCookie, url)
      return answer
    },
    cookie: async () => {
      const cookies = await jar.getCookies(signoff.url)
      return cookies.find(({ key }) => key === COOKIE_NAME)?.value ?? null
    },
    setCookie: async (value) => {
      await jar.setCookie(`${COOKIE_NAME}=${value}; Path=/; Secure; HttpOnly`, signoff.url)
    },
  }
}
