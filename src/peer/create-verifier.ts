// Decides about access tokens at a peer: signature, claims and times, then the denylist.
import { remoteKeys } from '../remote/remote-keys.ts'
import type { AccessClaims, EpochSeconds } from '../contract/claims.ts'
import { checkTimes, OtherAddresseeError } from './access-claims.ts'
import { repeat } from './background.ts'
import { COUNTER_OF, verificationCounters, type VerificationCounters } from './counters.ts'
import type { DenylistSource, Freshness, SessionEndHandler, UnknownPolicy, Verdict } from './denylist.ts'
import type { Fetch, FetchInit, FetchResponse } from './fetch.ts'
import { issuerUrl } from './issuer-url.ts'
import { rateLimited } from './rate-limited.ts'
import { signatures } from './signatures.ts'
import { TokenError } from './token-error.ts'
import { untilReady } from './until-ready.ts'

export interface VerifierOptions {
  /** The service's `ISSUER`, letter by letter: an https:// URL (http:// only on loopback). */
  issuer: string
  /** The service's `AUDIENCE`. */
  audience: string
  /** How to know what was revoked: `feed(…)`, `redis(…)` or `introspection(…)`. */
  denylist: DenylistSource
  /** Decides about a good token when it cannot be told whether it was revoked; `deny` by default. */
  onUnknown?: UnknownPolicy
  /** `${issuer}/.well-known/jwks.json` by default. */
  jwksUrl?: string
  /**
   * How far clocks may be apart: 5 seconds by default, 60 at the most. No more than the service's `LEEWAY`: so
   * much longer than their tokens denials last.
   */
  leewaySeconds?: number
  /** Seconds since 1970, for the times in tokens; the system's clock by default. */
  clock?: () => EpochSeconds
  /** For all HTTP; `globalThis.fetch` by default, which heeds `NODE_EXTRA_CA_CERTS`. */
  fetch?: Fetch
  /**
   * Hears of everything that goes wrong in the background (feed, keys, Redis, a handler that throws), to be
   * logged; as often as it is tried. And, once in ten seconds, of tokens that the issuer signed for another `iss`
   * or `aud` than these options name. Nothing else of a token is in it, and nothing of a secret. Its own errors are left aside.
   */
  onError?: (error: Error) => unknown
}

export interface Verifier {
  /**
   * Resolves to the claims of a live access token. Rejects with a `TokenError`: `token_missing`,
   * `token_invalid`, `token_expired`, `token_denied`, `denylist_unknown` or `keys_unavailable`. Its `cause`, where
   * there is one, is for your log and not for the client.
   */
  verify: (token: string | null | undefined) => Promise<AccessClaims>
  /**
   * Calls the handler once, when the session is over or (`denylist_unknown`) when that can no longer be told;
   * never from within this call. Returns what takes it away again. Throws where the denylist cannot tell
   * (`introspection`), or watches too many sessions already (`redis`).
   */
  onSessionEnd: (sid: string, handler: SessionEndHandler) => () => void
  freshness: () => Freshness
  counters: () => VerificationCounters
  /**
   * Resolves when keys and denylist have been known for once. Rejects after `timeoutMs` (10,000 by default)
   * with `keys_unavailable` or `denylist_unknown`, the `cause` being what it failed with last; it goes on trying
   * all the same.
   */
  ready: (timeoutMs?: number) => Promise<void>
  /** Ends everything in the background; afterwards nothing of it keeps the process alive, and no handler is called. */
  close: () => Promise<void>
}

const JWKS_PATH = '/.well-known/jwks.json'
/** In characters; ours have about 700. */
const MAX_TOKEN_LENGTH = 8 * 1024
const MAX_LEEWAY_SECONDS = 60
/** A key that was withdrawn is refused after so long at the latest. */
const KEYS_REFRESH_MS = 600_000
const KEYS_FAILURE_PAUSE_SECONDS = 1
const READY_TIMEOUT_MS = 10_000

/** Throws a `TypeError` or `RangeError` for options that cannot work. Begins to fetch keys and denials at once. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, audience, onUnknown = 'deny', leewaySeconds = 5 } = options
  const { clock: now = systemClock, fetch = globalFetch } = options
  const onError = teller(options.onError)
  if (!issuer) throw new TypeError('issuer is expected')
  if (issuer.endsWith('/')) throw new TypeError(`${issuer}: ISSUER of the service has no slash at its end`)
  if (!audience) throw new TypeError('audience is expected')
  if (typeof options.denylist !== 'function') {
    throw new TypeError('denylist: feed(…), redis(…) or introspection(…) is expected')
  }
  if (!(leewaySeconds >= 0 && leewaySeconds <= MAX_LEEWAY_SECONDS)) {
    throw new RangeError(`leewaySeconds: a number from 0 to ${MAX_LEEWAY_SECONDS} is expected`)
  }

  const keys = remoteKeys(issuerUrl(issuer, JWKS_PATH, options.jwksUrl), {
    now,
    fetch,
    failurePauseSeconds: KEYS_FAILURE_PAUSE_SECONDS,
    onFetchFailure: (url, cause) => {
      onError(new Error(`the keys cannot be fetched from ${url.href}`, { cause }))
    },
  })
  const denylist = options.denylist({ issuer, onUnknown, fetch, now, onError })
  const signed = signatures(keys, { issuer, audience })
  const counters = verificationCounters()
  const reportOtherAddressee = rateLimited(onError)

  refreshKeys()
  const stopRefreshing = repeat(KEYS_REFRESH_MS, refreshKeys)

  return {
    async verify(token) {
      try {
        const claims = await decide(token)
        counters.accepted += 1
        return claims
      } catch (error) {
        if (error instanceof TokenError) counters[COUNTER_OF[error.code]] += 1
        // Strangers cannot bring that about: every token is refused until somebody hears of it.
        const { cause } = error as Error
        if (cause instanceof OtherAddresseeError) reportOtherAddressee(cause)
        throw error
      }
    },
    onSessionEnd: denylist.onSessionEnd,
    freshness: denylist.freshness,
    counters: () => ({ ...counters }),
    ready: async (timeoutMs = READY_TIMEOUT_MS) => {
      await untilReady({ keys, denylist }, timeoutMs)
    },
    async close() {
      stopRefreshing()
      await denylist.close()
    },
  }

  async function decide(text: string | null | undefined): Promise<AccessClaims> {
    if (text === null || text === undefined || text === '') throw new TokenError('token_missing')
    // Before anything is done with it, even to look it up.
    if (text.length > MAX_TOKEN_LENGTH) throw new TokenError('token_invalid')
    const token = signed.recall(text) ?? (await signed.verify(text))
    checkTimes(token, { now: now(), leewaySeconds })

    const verdict = denylist.check(token)
    // To wait for what is there already would cost more than all the rest.
    allow(typeof verdict === 'string' ? verdict : await verdict)
    return token.claims
  }

  function allow(verdict: Verdict): void {
    if (verdict === 'denied') throw new TokenError('token_denied')
    if (verdict === 'too_old') throw new TokenError('token_expired')
    if (verdict === 'live') return
    if (onUnknown !== 'allow') throw new TokenError('denylist_unknown')
    counters.unknownAllowed += 1
  }

  function refreshKeys(): void {
    // An issuer that could not be reached has been told of; a token that needs its keys asks again.
    keys.refresh().catch(() => undefined)
  }
}

/** A log that fails must not end what it is told of. */
function teller(listener: VerifierOptions['onError']): (error: Error) => void {
  return (error) => {
    const told = new Promise((resolve) => {
      resolve(listener?.(error))
    })
    told.catch(() => undefined)
  }
}

function systemClock(): EpochSeconds {
  return Date.now() / 1000
}

async function globalFetch(url: string, init: FetchInit): Promise<FetchResponse> {
  return await globalThis.fetch(url, init)
}
