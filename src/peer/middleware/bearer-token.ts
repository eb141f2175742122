// The access token in an Authorization header (RFC 6750 section 2.1).

/** `null` for a missing header, another scheme, and anything but the scheme and one token. */
export function bearerToken(header: string | undefined): string | null {
  const [scheme = '', token = '', ...rest] = (header ?? '').trim().split(/ +/)
  return scheme.toLowerCase() === 'bearer' && token !== '' && rest.length === 0 ? token : null
}
