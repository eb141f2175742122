// The service, as far as a verifier sees it: its keys, its tokens, its denials and its clock; no network.
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { ACCESS_TYP, type AccessClaims, type EpochSeconds } from '../../contract/claims.ts'
import type { VerifierOptions } from '../create-verifier.ts'
import type { Fetch } from '../fetch.ts'
import { fakeFeed } from './fake-feed.ts'

export interface FakeSignoff {
  /** To be spread into the options of `createVerifier`; any number of verifiers may share them. */
  options: Required<Pick<VerifierOptions, 'issuer' | 'audience' | 'denylist' | 'fetch' | 'clock'>>
  /** A token that the service would issue now, signed with its key. */
  mint: (options?: MintOptions) => Promise<MintedToken>
  /** Logs out: the session's tokens are refused from now on, and its handlers are called. */
  endSession: (sid: string) => void
  /** As when the feed is cut off for longer than the lease. An end meanwhile is heard of in `comeBack`. */
  goUnknown: () => void
  comeBack: () => void
  /** Lets so many seconds pass, by the clock of tokens and denylist alike. */
  tick: (seconds: number) => void
}

export interface MintOptions {
  /** The user's id; a random UUID by default. */
  sub?: string
  /** The session's id; a random UUID by default. */
  sid?: string
  /** The user's role; `user` by default. */
  scope?: string
  /** 300 by default, and at the most; -60 makes a token that expired a minute ago. */
  expiresInSeconds?: number
}

export interface MintedToken {
  token: string
  claims: AccessClaims
}

const ISSUER = 'https://signoff.test'
const AUDIENCE = 'signoff'
const JWKS_URL = `${ISSUER}/.well-known/jwks.json`
const KEY_ID = 'fake'
const ACCESS_TTL_SECONDS = 300
const STEP_MS = 1_000

/**
 * Resolves to a fake with a key of its own. Verifiers do all that they do in earnest with its tokens; only the
 * connection to the feed is left out, so that nothing has to be waited for.
 */
export async function fakeSignoff(): Promise<FakeSignoff> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwks = JSON.stringify({
    keys: [{ ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'ES256', use: 'sig' }],
  })
  let nowMs = Date.now()
  const clock = (): EpochSeconds => Math.floor(nowMs / 1000)
  const feed = fakeFeed({ clock, nowMs: () => nowMs })

  return {
    options: { issuer: ISSUER, audience: AUDIENCE, denylist: feed.source, fetch: fakeFetch(jwks), clock },

    async mint({ sub = uuid(), sid = uuid(), scope = 'user', expiresInSeconds = ACCESS_TTL_SECONDS } = {}) {
      if (expiresInSeconds > ACCESS_TTL_SECONDS) {
        throw new RangeError(
          `expiresInSeconds: at most ${ACCESS_TTL_SECONDS} is expected, as by the service's default`,
        )
      }
      const exp = clock() + expiresInSeconds
      const iat = expiresInSeconds > 0 ? clock() : exp - ACCESS_TTL_SECONDS
      const common = { iss: ISSUER, aud: AUDIENCE, sub, jti: uuid(), sid, iat, exp }
      const claims: AccessClaims = {
        ...common,
        scope,
        token_type: 'access',
        client_id: 'signoff',
        user_id: sub,
      }
      const token = await new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'ES256', typ: ACCESS_TYP, kid: KEY_ID })
        .sign(privateKey)
      return { token, claims }
    },

    endSession: feed.end,
    goUnknown: feed.goUnknown,
    comeBack: feed.comeBack,
    tick(seconds) {
      // In steps, as heartbeats would come: only who is cut off misses anything.
      for (let leftMs = seconds * 1000; leftMs > 0; leftMs -= STEP_MS) {
        nowMs += Math.min(leftMs, STEP_MS)
        feed.tick()
      }
    },
  }
}

function fakeFetch(jwks: string): Fetch {
  return async (url) => {
    const isKnown = url === JWKS_URL
    return await Promise.resolve(new Response(isKnown ? jwks : '', { status: isKnown ? 200 : 404 }))
  }
}

function uuid(): string {
  return crypto.randomUUID()
}
