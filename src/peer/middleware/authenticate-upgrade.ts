// WebSockets: decides about an upgrade before there is a socket to speak over (RFC 6455 section 4.2).
import type { AccessClaims } from '../../contract/claims.ts'
import type { Verifier } from '../create-verifier.ts'
import { bearerToken } from './bearer-token.ts'
import { refusalOf, type Refusal } from './refusal.ts'

/** The part of `http.IncomingMessage` that is used. */
export interface UpgradeRequest {
  headers: {
    authorization?: string | undefined
    'sec-websocket-protocol'?: string | undefined
  }
}

/** The claims; or a whole HTTP answer, to be written to the socket before it is ended. */
export type UpgradeAnswer = { claims: AccessClaims; refusal: null } | { claims: null; refusal: string }

const PROTOCOL_PREFIX = 'bearer.'
const REASONS: Record<Refusal['status'], string> = { 401: 'Unauthorized', 503: 'Service Unavailable' }

/**
 * Takes the token from the Authorization header or, as browsers cannot set that, from an offered subprotocol
 * `bearer.<token>`: `new WebSocket(url, ['chat', 'bearer.' + token])`. Let the server select the other one
 * (`chat`): a browser expects one of its offers back, and the token has no business in an answer. A token in the
 * query is never looked at: addresses are logged.
 *
 * Never rejects for a token that is refused. To close at a session's end is `onSessionEnd`'s business.
 */
export async function authenticateUpgrade(
  verifier: Pick<Verifier, 'verify'>,
  request: UpgradeRequest,
): Promise<UpgradeAnswer> {
  const { authorization, 'sec-websocket-protocol': protocols } = request.headers
  try {
    const token = authorization === undefined ? offeredToken(protocols) : bearerToken(authorization)
    return { claims: await verifier.verify(token), refusal: null }
  } catch (error) {
    return { claims: null, refusal: httpAnswer(refusalOf(error)) }
  }
}

function offeredToken(protocols = ''): string | null {
  const offered = protocols.split(',').map((name) => name.trim())
  return offered.find((name) => name.startsWith(PROTOCOL_PREFIX))?.slice(PROTOCOL_PREFIX.length) ?? null
}

function httpAnswer({ status, headers, body }: Refusal): string {
  const text = JSON.stringify(body)
  const lines = Object.entries({
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(text.length),
    Connection: 'close',
  }).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${REASONS[status]}`, ...lines, '', text].join('\r\n')
}
