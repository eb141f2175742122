// Tokens made by hand, right or wrong in every part.
import type { Signer } from '../../../src/tokens/jws.ts'

export const base64url = (content: string | Buffer | object): string =>
  (Buffer.isBuffer(content)
    ? content
    : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content))
  ).toString('base64url')

/** Signs header and payload, given as objects or, to be odd, as the very text. */
export function forgedToken(header: object | string, payload: object | string, signer: Signer): string {
  const signingInput = `${base64url(header)}.${base64url(payload)}`
  return `${signingInput}.${base64url(signer.sign(signingInput))}`
}

/** The claims of a token, unverified. */
export function payloadOf(token: string): Record<string, unknown> {
  return jsonPart(token, 1)
}

export function headerOf(token: string): Record<string, unknown> {
  return jsonPart(token, 0)
}

function jsonPart(token: string, index: number): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >
}
