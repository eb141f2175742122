// Which tokens the issuer has signed: asked of its keys once for each token, and remembered.
import { compactVerify, type CompactVerifyGetKey } from 'jose'
import QuickLRU from 'quick-lru'
import { KeysUnavailableError, type RemoteKeys } from '../remote/remote-keys.ts'
import { ACCESS_TYP } from '../contract/claims.ts'
import { tokenId } from '../contract/denylist-keys.ts'
import { parseAccessClaims, type Expected, type ParsedClaims } from './access-claims.ts'
import type { VerifiedToken } from './denylist.ts'
import { TokenError } from './token-error.ts'

export type SignedToken = VerifiedToken & ParsedClaims

export interface Signatures {
  /** Known to be signed by a key that is still published. */
  recall: (token: string) => SignedToken | undefined
  /** Rejects with `token_invalid` or `keys_unavailable`. Says nothing about time. */
  verify: (token: string) => Promise<SignedToken>
}

/**
 * At most twice as many are kept. A token costs its own length and about 1 KiB for its claims: with ours about 17 MB
 * in all. Only what the issuer signed is kept, so that nobody else can fill it.
 */
const REMEMBERED_TOKENS = 5000

/**
 * A token has one spelling: white space, padding and the last bits of a signature of 64 bytes, which jose passes
 * over, would make many of one that is good, each of them remembered.
 */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]{85}[AQgw]$/

export function signatures(keys: RemoteKeys, expected: Expected): Signatures {
  const remembered = new QuickLRU<string, { signed: SignedToken; keysVersion: number }>({
    maxSize: REMEMBERED_TOKENS,
  })

  return {
    recall(token) {
      const entry = remembered.get(token)
      // Once other keys are published, its own may have been withdrawn.
      return entry?.keysVersion === keys.version() ? entry.signed : undefined
    },

    async verify(token) {
      const { payload, keysVersion } = await verifiedPayload(keys, token)
      const parsed = parseAccessClaims(payload, expected)
      const { sid, jti } = parsed.claims
      const signed = { token, tokenId: tokenId(sid, jti), ...parsed }
      remembered.set(token, { signed, keysVersion })
      return signed
    },
  }
}

async function verifiedPayload(
  keys: RemoteKeys,
  token: string,
): Promise<{ payload: Record<string, unknown>; keysVersion: number }> {
  let keysVersion = 0
  const keyFor: CompactVerifyGetKey = async (header, input) => {
    const key = await keys.keyFor(header, input)
    keysVersion = keys.version()
    return key
  }
  try {
    if (!COMPACT.test(token)) throw new Error('not a compact JWS with ES256')
    const verified = await compactVerify(token, keyFor, { algorithms: ['ES256'] })
    const { typ, crit } = verified.protectedHeader
    // `crit` asks for extensions we have none of (RFC 7515 section 4.1.11), and jose has some.
    if (typ !== ACCESS_TYP || crit !== undefined) throw new Error(`not of type ${ACCESS_TYP}`)
    return { payload: parseObject(verified.payload), keysVersion }
  } catch (cause) {
    if (cause instanceof KeysUnavailableError) throw new TokenError('keys_unavailable', { cause })
    throw new TokenError('token_invalid', { cause })
  }
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  if (typeof value !== 'object' || value === null) throw new Error('no JSON object')
  return value as Record<string, unknown>
}
