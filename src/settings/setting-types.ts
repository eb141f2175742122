// The kinds of values that settings have: how each is read, and what is said of one that is wrong.
import { z } from 'zod'
import { isOriginPattern } from '../http/request/allowed-origins.ts'
import { isProxy, PROXY_NAMES } from '../http/request/caller.ts'
import { parseRedisUrl } from '../store/redis/connection/redis-url.ts'

/** A whole number of that range, in decimal digits. */
export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'a whole number is expected')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `a number from ${min} to ${max} is expected`)

const commaSeparated = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
)

/** `redis://`, `redis+cluster://` or `redis+sentinel://`, over TLS with `rediss`. */
export const redisUrl = z.string().superRefine((text, problems) => {
  try {
    parseRedisUrl(text)
  } catch (error) {
    problems.addIssue((error as Error).message)
  }
})

/**
 * Without slashes at its end. Pages of its origin may act for their visitors, so a `*` in its host would be a wildcard
 * there; the parser finds one that is written `%2A`, too.
 */
export const issuerUrl = z
  .url({ protocol: /^https?$/, error: 'an https:// URL is expected', abort: true })
  .refine(
    (url) => !new URL(url).host.includes('*'),
    '* is refused in the host: name the one where this service is',
  )
  .transform((url) => url.replace(/\/+$/, ''))

/** Braces would be a hash tag of Redis Cluster, and the others a pattern. */
export const redisPrefix = z
  .string()
  .regex(
    /^(?:(?![{}*?[\]\\])[!-~]){0,64}$/,
    'up to 64 printable characters without spaces, braces, *, ?, brackets or \\ are expected',
  )

export const onOrOff = z.enum(['on', 'off'], 'on or off is expected')

/** Origins of pages, parted by commas. */
export const originPatterns = commaSeparated
  .refine((origins) => !origins.includes('*'), {
    error: '* is refused, as credentials are sent: list the origins',
    abort: true,
  })
  .refine((origins) => origins.every(isOriginPattern), {
    error: ({ input }) =>
      [
        'origins as browsers send them are expected, such as https://app.example.com, capacitor://localhost, or',
        'https://*.example.com for one label under a domain of yours, in lower case and without a path, a slash at',
        'the end or a default port,',
        `not ${(input as string[]).filter((origin) => !isOriginPattern(origin)).join(', ')}`,
      ].join(' '),
  })

/** Names of roles, parted by commas. People who register become `user`, so that it is always one of them. */
export const roles = commaSeparated
  .refine((names) => names.every((name) => /^[\w.:-]{1,64}$/.test(name)), {
    error: 'names of up to 64 letters, digits, dots, colons, hyphens and underscores are expected',
    abort: true,
  })
  .refine((names) => names.includes('user'), 'user is expected among them: whoever registers has that role')

/** Addresses, ranges and names of ranges, parted by commas. */
export const proxies = commaSeparated.refine((proxies) => proxies.every(isProxy), {
  error: ({ input }) =>
    `addresses, ranges, ${PROXY_NAMES.join(', ')} are expected, not ${(input as string[])
      .filter((proxy) => !isProxy(proxy))
      .join(', ')}`,
})
