// A short name for a device, as a person would say it, from the user agent.

/** In this order: most browsers name the ones they descend from as well. */
const BROWSERS: readonly Part[] = [
  { name: 'Edge', mark: /\bEdg(e|A|iOS)?\// },
  { name: 'Opera', mark: /\bOPR\// },
  { name: 'Samsung Internet', mark: /\bSamsungBrowser\// },
  { name: 'Firefox', mark: /\b(Firefox|FxiOS)\// },
  { name: 'Chrome', mark: /\b(Chrome|CriOS)\// },
  { name: 'Safari', mark: /\bSafari\// },
]

/** In this order: Android says Linux too, and iOS says Mac OS X. */
const SYSTEMS: readonly Part[] = [
  { name: 'Android', mark: /\bAndroid\b/ },
  { name: 'iOS', mark: /\b(iPhone|iPad|iPod)\b/ },
  { name: 'Windows', mark: /\bWindows\b/ },
  { name: 'macOS', mark: /\bMac OS X\b|\bMacintosh\b/ },
  { name: 'ChromeOS', mark: /\bCrOS\b/ },
  { name: 'Linux', mark: /\bLinux\b/ },
]

interface Part {
  name: string
  mark: RegExp
}

const MAX_CHARACTERS = 40

/** `Firefox on Linux`, `curl 8`, `Unknown device`: a hint, since user agents say what they like. */
export function deviceName(userAgent: string | null): string {
  const agent = userAgent?.trim() ?? ''
  if (agent === '') return 'Unknown device'

  const system = nameIn(SYSTEMS, agent)
  const name = nameIn(BROWSERS, agent) ?? (agent.startsWith('Mozilla/') ? 'Browser' : productOf(agent))
  return system === null ? name : `${name} on ${system}`
}

function nameIn(parts: readonly Part[], agent: string): string | null {
  return parts.find(({ mark }) => mark.test(agent))?.name ?? null
}

/** Name and major version of the first product (RFC 9110 section 10.1.5). */
function productOf(agent: string): string {
  const [product = ''] = agent.split(' ')
  const [name = '', version = ''] = product.split('/')
  const [major = ''] = version.split('.')
  return `${name} ${major}`.trim().slice(0, MAX_CHARACTERS) || 'Unknown device'
}
