// A verifier asks this about a token whose signature is good: the three sources of denials have it in common.
import type { AccessClaims, EpochSeconds } from '../contract/claims.ts'
import type { DeniedId } from '../contract/denylist-keys.ts'
import type { Fetch } from './fetch.ts'

/** A token of the issuer's, with what is asked for by name. */
export interface VerifiedToken {
  token: string
  claims: AccessClaims
  /** Under which this one token would be denied. */
  tokenId: DeniedId
}

/** `too_old`: so old that its denial may have been forgotten. */
export type Verdict = 'live' | 'denied' | 'too_old' | 'unknown'

/** `deny` refuses a token when it cannot be told whether it was revoked, `allow` lets it pass; both are counted. */
export type UnknownPolicy = 'deny' | 'allow'

/**
 * Why a session's handler is called: it is over; or that can no longer be told (with `onUnknown: 'allow'`
 * only when nothing was heard for so long that its end may have been missed).
 */
export type SessionEndReason = 'token_denied' | 'denylist_unknown'

/** The handler's result is left aside, but for a promise that rejects: that goes to `onError`, as what it throws does. */
export type SessionEndHandler = (reason: SessionEndReason) => unknown

export interface Freshness {
  /** Whether a token would be answered for now. */
  isKnown: boolean
  /** Seconds since the moment up to which every revocation is known; `null` before the first time. */
  ageSeconds: number | null
  /** How many denials are held in memory; `null` where none are. */
  denials: number | null
  /** The latest of what went wrong, for a log line; `null` since all went well. */
  lastError: Error | null
}

export interface Denylist {
  /** Never throws and never rejects; answers at once where it can. */
  check: (token: VerifiedToken) => Verdict | Promise<Verdict>
  /** Returns what takes the handler away again. */
  onSessionEnd: (sid: string, handler: SessionEndHandler) => () => void
  freshness: () => Freshness
  /** Resolves as soon as it is known, or was. Never rejects. */
  whenKnown: () => Promise<void>
  close: () => Promise<void>
}

/** A verifier tells this to its denylist. */
export interface DenylistContext {
  issuer: string
  onUnknown: UnknownPolicy
  fetch: Fetch
  now: () => EpochSeconds
  /** Hears of what goes wrong in the background. */
  onError: (error: Error) => void
}

/** Made by `feed`, `redis` or `introspection`; one verifier each. */
export type DenylistSource = (context: DenylistContext) => Denylist
