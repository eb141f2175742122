// A short name for a device, as a person would say it, from the user agent.
import Bowser from 'bowser'

const MAX_CHARACTERS = 40
const UNKNOWN = 'Unknown device'

/** A longer one names its browser by then. */
const MAX_AGENT_CHARACTERS = 512

/** `deviceName` for one answer: worked out once for each user agent, since that takes longer than to read a row. */
export function deviceNames(): (userAgent: string | null) => string {
  const names = new Map<string, string>()
  return (userAgent) => {
    const agent = (userAgent ?? '').slice(0, MAX_AGENT_CHARACTERS)
    const known = names.get(agent)
    if (known !== undefined) return known
    const name = deviceName(agent)
    names.set(agent, name)
    return name
  }
}

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
