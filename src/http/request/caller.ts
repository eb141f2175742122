// Tells who asked: the address, seen through the proxies that are trusted, and the user agent; both bounded.
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Context } from 'koa'
import proxyAddr from 'proxy-addr'
import type { Caller } from '../../auth/ports/caller.ts'
import type { WaitingCallers } from '../server/waiting-callers.ts'

const MAX_USER_AGENT_CHARACTERS = 512
/** A longer chain of trusted proxies is a loop, or somebody's invention. */
const MAX_HOPS = 20

/** Names for ranges of addresses, as proxy-addr knows them. */
export const PROXY_NAMES: readonly string[] = ['loopback', 'linklocal', 'uniquelocal']

/**
 * Whether `callerReader` can trust it: an address, a range or one of the names. Stricter than proxy-addr, which
 * reads a number (of hops, say) as an address, and overlooks a zone.
 */
export function isProxy(text: string): boolean {
  const address = text.split('/')[0] ?? ''
  if (!PROXY_NAMES.includes(text) && !isPlainAddress(address)) return false
  try {
    proxyAddr.compile(text)
    return true
  } catch {
    return false
  }
}

/** Handlers need this to say who asked. */
export interface CallerOf {
  callerOf: (ctx: Context) => Caller
}

/**
 * Reads who sent a request. From a connection of `trustProxy` (each of which `isProxy` accepts), the address is
 * the first one in `X-Forwarded-For` that is not trusted, from the right: what stands further left is the caller's own
 * word. Some proxies write the port of the connection behind the address; it does not count. Anything else than an
 * address there counts for nothing.
 */
export function callerReader(
  trustProxy: readonly string[],
  callers: Pick<WaitingCallers, 'isWaiting' | 'isInTime' | 'noteProgress'>,
): (ctx: Context) => Caller {
  const isTrusted = proxyAddr.compile([...trustProxy])
  // proxy-addr also takes such addresses as `10.1` and `fe80::1%x`, which no proxy writes.
  const trust = (address: string, hop: number): boolean =>
    hop < MAX_HOPS && (hop === 0 || isPlainAddress(address)) && isTrusted(address, hop)

  const addressOf = (ctx: Context): string => {
    const { socket } = ctx.req
    const peer = socket.remoteAddress
    // Of a connection that is gone already.
    if (peer === undefined) return 'unknown'
    const forwarded = ctx.get('X-Forwarded-For').split(',').map(withoutPort).join()
    // All that proxy-addr looks at.
    const client = proxyAddr(
      { headers: { 'x-forwarded-for': forwarded }, socket } as unknown as IncomingMessage,
      trust,
    )
    return canonical(isPlainAddress(client) ? client : peer)
  }

  // Looked up when asked for: most refreshes never do.
  return (ctx) => ({
    get ipAddress() {
      return addressOf(ctx)
    },
    get userAgent() {
      return userAgentOf(ctx)
    },
    isWaiting: () => callers.isWaiting(ctx.req),
    isInTime: () => callers.isInTime(ctx.req),
    noteProgress: () => {
      callers.noteProgress(ctx.req)
    },
  })
}

/** `1.2.3.4:5678` is an IPv4 address with a port, and `[::1]:443` an IPv6 one; without brackets, IPv6 has no port. */
const WITH_PORT = /^(?:(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}|\[([\da-f:.]+)\](?::\d{1,5})?)$/i

function withoutPort(entry: string): string {
  const [, ipv4, ipv6] = WITH_PORT.exec(entry.replace(/^ +| +$/g, '')) ?? []
  return ipv4 ?? ipv6 ?? entry
}

function isPlainAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%')
}

/** One spelling for each address, IPv4 never as IPv6: it is counted and compared. */
function canonical(address: string): string {
  return ipaddr.process(address).toString()
}

function userAgentOf(ctx: Context): string | null {
  return (
    ctx
      .get('User-Agent')
      .replace(/\p{Cc}/gu, '')
      .slice(0, MAX_USER_AGENT_CHARACTERS) || null
  )
}
