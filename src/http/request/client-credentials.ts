// The credentials of a peer, in the header or in the form (RFC 6749 section 2.3.1).
import type { Context } from 'koa'
import { AuthError } from '../../auth/errors.ts'
import type { PeerCredentials } from '../../auth/ports/peers.ts'
import { InvalidInputError } from '../errors.ts'
import { onlyValue } from './form-body.ts'

/** Every 401 about them carries this. */
export const BASIC_CHALLENGE = { 'WWW-Authenticate': 'Basic realm="signoff"' }

/**
 * From HTTP Basic, or from `client_id` and `client_secret` of the form, where there is one. Throws
 * `InvalidInputError` when they come both ways, and `credentials_invalid` when they come in neither.
 */
export function clientCredentials(ctx: Context, form = new URLSearchParams()): PeerCredentials {
  const header = ctx.get('Authorization')
  const clientId = onlyValue(form, 'client_id')
  const clientSecret = onlyValue(form, 'client_secret')
  if (header === '') return complete({ clientId, clientSecret })

  if (clientSecret !== null) throw oneWayOnly('client_secret')
  const credentials = complete(basicCredentials(header))
  // The name alone authenticates nobody; some clients always send it.
  if (clientId !== null && clientId !== credentials.clientId) throw oneWayOnly('client_id')
  return credentials
}

interface FoundCredentials {
  clientId: string | null
  clientSecret: string | null
}

/** Nothing is found in another scheme, or in what is not well-formed. */
function basicCredentials(header: string): FoundCredentials {
  const [, encoded = ''] = /^basic +([\w+/-]+=*)$/i.exec(header.trim()) ?? []
  const [, clientId, clientSecret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? []
  return { clientId: formDecoded(clientId), clientSecret: formDecoded(clientSecret) }
}

/** Both parts are encoded as in a form before they are joined. */
function formDecoded(text = ''): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' ')) || null
  } catch {
    return null
  }
}

function complete({ clientId, clientSecret }: FoundCredentials): PeerCredentials {
  if (clientId === null || clientSecret === null) throw new AuthError('credentials_invalid')
  return { clientId, clientSecret }
}

function oneWayOnly(field: string): InvalidInputError {
  const message = 'Client credentials are expected in the Authorization header or in the form, not in both.'
  return new InvalidInputError([{ field, message }])
}
