// How a peer shows who it is (RFC 6749 section 2.3.1).

/** As `signoff peer add` printed them. */
export interface ClientCredentials {
  clientId: string
  clientSecret: string
}

/** The value of an Authorization header. Throws a `TypeError` when one of them is missing. */
export function basicCredentials({ clientId, clientSecret }: ClientCredentials): string {
  if (!clientId || !clientSecret) throw new TypeError('clientId and clientSecret are expected')
  return `Basic ${btoa(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`)}`
}

/** As RFC 6749 appendix B asks: what is encoded so is ASCII, and has no colon. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}
