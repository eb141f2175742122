// Which origins may call from a browser: what the setting may say, and the one function that says what it means.

/** Where pages come from that may act for their visitors, besides those of this very host. */
export interface AllowedOrigins {
  /**
   * Origins as browsers send them (RFC 6454 section 6.2), of any scheme. A first label `*` stands for exactly one
   * label: `https://*.example.com` allows `https://pr-7.example.com`, on this port and by this scheme alone.
   */
  allowedOrigins: readonly string[]
}

const LABEL = '[a-z0-9_-]{1,63}'
const ONE_LABEL = new RegExp(`^${LABEL}$`)
const PATTERN = new RegExp(
  `^(?<scheme>[a-z][a-z0-9+.-]*)://(?<wildcard>\\*\\.)?(?<host>${LABEL}(?:\\.${LABEL})*\\.?|\\[[0-9a-f:.]+\\])(?::[1-9]\\d*)?$`,
)

/** Pages of these have the origin `null`, or there are no pages of them (WHATWG URL section 4.7). */
const WITHOUT_ORIGIN = ['about', 'blob', 'data', 'file', 'ftp', 'javascript', 'ws', 'wss']

/** Chromium makes these ids from a hash, in letters instead of digits. */
const EXTENSION = /^chrome-extension:\/\/[a-p]{32}$/

/** Whether there can be an origin that it allows: false for whatever no browser ever sends in that spelling. */
export function isOriginPattern(text: string): boolean {
  const { scheme = '', wildcard, host = '' } = PATTERN.exec(text)?.groups ?? {}
  if (host === '' || WITHOUT_ORIGIN.includes(scheme)) return false
  if (scheme === 'chrome-extension') return EXTENSION.test(text)
  if (wildcard === undefined) return isAsBrowsersSendIt(text)

  // Under a top-level domain the pages are everybody's.
  const isOfOneOwner = /\.[^.]/.test(host) || host === 'localhost'
  return isOfOneOwner && isAsBrowsersSendIt(text.replace('*', 'a'))
}

/** Whether the origin is among those allowed, or matches a wildcard among them. */
export function isAllowedOrigin({ allowedOrigins }: AllowedOrigins, origin: string): boolean {
  return allowedOrigins.some((pattern) => matches(pattern, origin))
}

function matches(pattern: string, origin: string): boolean {
  const [before = '', after] = pattern.split('*')
  if (after === undefined) return origin === pattern
  if (!origin.startsWith(before) || !origin.endsWith(after)) return false
  return ONE_LABEL.test(origin.slice(before.length, -after.length))
}

/** The URL parser knows the default ports, and how addresses are written. It has no `origin` of unknown schemes. */
function isAsBrowsersSendIt(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, host } = new URL(origin)
  return `${protocol}//${host}` === origin
}
