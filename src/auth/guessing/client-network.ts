// Decides which addresses count as one: attempts are counted for those that one person holds together.
import ipaddr from 'ipaddr.js'

/** The holder of one IPv6 address holds its /64, the least that is given to anyone; a site may have a /48 (RFC 6177). */
const NETWORK_PREFIX = 64
const SITE_PREFIX = 48

/** An IPv4 address, or an IPv6 /64; text that is no address stands for itself. */
export function networkOf(ipAddress: string): string {
  return blockOf(ipAddress, NETWORK_PREFIX)
}

/** An IPv4 address, or an IPv6 /48. */
export function siteOf(ipAddress: string): string {
  return blockOf(ipAddress, SITE_PREFIX)
}

function blockOf(ipAddress: string, prefix: number): string {
  if (!ipaddr.isValid(ipAddress)) return ipAddress
  // IPv4 within IPv6 is IPv4: by its /64, all of it would be one network.
  const address = ipaddr.process(ipAddress)
  if (address.kind() === 'ipv4') return address.toString()
  return ipaddr.IPv6.networkAddressFromCIDR(`${ipAddress}/${prefix}`).toString()
}
