// Where the issuer is asked: only over a connection that nobody else can read or answer.

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** The URL given, or the one at `path` of the issuer. Throws a `TypeError` for one that is neither HTTPS nor on loopback. */
export function issuerUrl(issuer: string, path: string, given?: string): URL {
  const text = given ?? `${issuer}${path}`
  const url = URL.canParse(text) ? new URL(text) : null
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname))
  if (!url || !isSafe) throw new TypeError(`${text}: an https:// URL is expected (http:// only on loopback)`)
  return url
}
