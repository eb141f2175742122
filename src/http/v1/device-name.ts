// A short name for a device, as a person would say it, from the user agent.
import Bowser from 'bowser'

const MAX_CHARACTERS = 40
const UNKNOWN = 'Unknown device'

/** `Firefox on Linux`, `curl 8`, `Unknown device`: a hint, since user agents say what they like. */
export function deviceName(userAgent: string | null): string {
  const agent = userAgent?.trim() ?? ''
  // As every browser begins, whatever it is.
  if (!agent.startsWith('Mozilla/')) return productOf(agent)

  const { browser, os } = Bowser.parse(agent)
  const name = browser.name ?? 'Browser'
  return os.name === undefined ? name : `${name} on ${os.name}`
}

/** Name and major version of the first product (RFC 9110 section 10.1.5), for programs that are no browsers. */
function productOf(agent: string): string {
  const [product = ''] = agent.split(' ')
  const [name = '', version = ''] = product.split('/')
  const [major = ''] = version.split('.')
  return `${name} ${major}`.trim().slice(0, MAX_CHARACTERS) || UNKNOWN
}
