// How a token that another login service issued is named on the denylist.

/** The name depends on these: claims as the verified payload has them, and `header.payload` as sent. */
export interface ForeignTokenParts {
  iss: string | undefined
  /** Counts when it is a text that is not empty. */
  jti: unknown
  signingInput: string
}

/**
 * The text whose SHA-256 over UTF-8, in lowercase hex, is the id of a foreign token:
 * `<length of iss in bytes>:<iss>:<jti>`, a missing `iss` being empty; without a `jti`, the signing
 * input. The signature is in neither: some can be altered and still verify.
 */
export function foreignTokenIdInput({ iss = '', jti, signingInput }: ForeignTokenParts): string {
  if (typeof jti !== 'string' || jti === '') return signingInput
  // The length keeps two pairs apart whatever they contain. Not JSON: its escapes differ between languages.
  return `${new TextEncoder().encode(iss).length}:${iss}:${jti}`
}
