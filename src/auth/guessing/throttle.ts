// How guessing is slowed: by address, by username and address, and by username from anywhere; that of peers by address.
import { AuthError } from '../errors.ts'
import { begin, end, evaluationEnd, inTurn, newLine, type Line } from './attempt-queue.ts'
import { networkOf, siteOf } from './client-network.ts'
import type { HashCaller } from '../ports/accounts.ts'
import type { AttemptCounters, AttemptWindow } from '../ports/attempts.ts'
import { usernameKey } from '../accounts/username-key.ts'

export interface ThrottleDeps {
  throttle: Throttle
}

/** One for each process: it knows which guesses are being evaluated at this moment. */
export interface Throttle {
  /**
   * Runs `attempt`, which is one guess at the password of `username`, known or not, and resolves to what
   * it resolves to. Rejects with `throttled` without running it, with `unavailable` when too many guesses
   * wait for each other or it is too late for this one, or with what `attempt` rejects with; only `credentials_invalid`
   * counts as wrong.
   */
  guess<T>(guess: Guess, attempt: () => Promise<T>): Promise<T>
  /** Counts one attempt of this address, whatever comes of it. Rejects with `throttled` when there are too many. */
  address(ipAddress: string): Promise<void>
  /** Counts one wrong secret of a peer from this address. Rejects with `throttled` when there are too many. */
  peerFailure(ipAddress: string): Promise<void>
}

export interface Guess {
  username: string
  caller: HashCaller
}

/** Failures of one address, and its registrations. */
const ADDRESS: AttemptWindow = { name: 'address', seconds: 60 }
const ADDRESS_ATTEMPTS = 120

/** Apart from those: a service with a wrong secret is no reason to refuse the people behind the same address. */
const PEER: AttemptWindow = { name: 'peer', seconds: 60 }
const PEER_FAILURES = 120

/** Failures of one username from one address. */
const PAIR: AttemptWindow = { name: 'pair', seconds: 3600 }
const PAIR_FAILURES = 10

/** Failures of one username from anywhere: beyond them, the name is under attack. */
const USERNAME: AttemptWindow = { name: 'username', seconds: 3600 }
const USERNAME_FAILURES = 100
/** Failures of one username from one site: what counts while the name is under attack. */
const SITE: AttemptWindow = { name: 'site', seconds: 3600 }
const SITE_FAILURES = 1

/** Right guesses of one username from one address: each is worth a hash and a session. */
const LOGIN: AttemptWindow = { name: 'login', seconds: 60 }
const LOGINS = 1200

const GREATEST_WAIT_SECONDS = 900
/** Guesses of one address that are evaluated at the same time: the others cost nothing but their place in the line. */
const MAX_EVALUATED = 4
/** Guesses of one address that wait for these. */
const MAX_LINE = 512

export function createThrottle(attempts: AttemptCounters): Throttle {
  const lines = new Map<string, Line>()
  return {
    guess: async ({ username, caller }, attempt) => {
      const keys = keysOf(username, caller.ipAddress)
      const line = lines.get(keys.block) ?? newLine()
      if (line.length >= MAX_LINE) throw new AuthError('unavailable')
      lines.set(keys.block, line)
      line.length += 1
      try {
        const scope = await inTurn(line, async () => await admit(attempts, keys, { line, caller }))
        return await evaluate(attempts, keys, { line, scope, attempt })
      } finally {
        line.length -= 1
        if (line.length === 0) lines.delete(keys.block)
      }
    },

    address: async (ipAddress) => {
      const { count, resetMs } = await attempts.count(ADDRESS, networkOf(ipAddress))
      if (count > ADDRESS_ATTEMPTS) throw refusal(resetMs)
    },

    peerFailure: async (ipAddress) => {
      const { count, resetMs } = await attempts.count(PEER, networkOf(ipAddress))
      if (count > PEER_FAILURES) throw refusal(resetMs)
    },
  }
}

/** This decides whether a guess is one too many. */
interface Scope {
  window: AttemptWindow
  key: string
  /** Failures that go without a wait. */
  allowance: number
}

/**
 * Resolves when the guess may be evaluated. Guesses under way count as failures until they have ended,
 * and who stands behind them waits: of a hundred wrong ones at once no more are evaluated than of as
 * many in a row, and a hundred right ones are all let in.
 */
async function admit(
  attempts: AttemptCounters,
  keys: GuessKeys,
  { line, caller }: { line: Line; caller: HashCaller },
): Promise<Scope> {
  for (;;) {
    requireInTime(caller)
    if (line.evaluated >= MAX_EVALUATED) {
      // Nothing that the store could say would let it in.
      await evaluationEnd(line)
      continue
    }
    const [ofAddress, ofPair, ofSite, ofUsername, logins] = await Promise.all([
      attempts.peek(ADDRESS, keys.network),
      attempts.peek(PAIR, keys.pair),
      attempts.peek(SITE, keys.site),
      attempts.peek(USERNAME, keys.username),
      attempts.peek(LOGIN, keys.pair),
    ])
    if (ofAddress.count >= ADDRESS_ATTEMPTS) throw refusal(ofAddress.resetMs)
    if (logins.count >= LOGINS) throw refusal(logins.resetMs)

    const isUnderAttack = ofUsername.count >= USERNAME_FAILURES
    const scope = isUnderAttack ? siteScope(keys) : pairScope(keys)
    const failures = isUnderAttack ? ofSite.count : ofPair.count
    const underWay = line.evaluatedOf.get(keys.username) ?? 0
    const room = ADDRESS_ATTEMPTS - ofAddress.count
    const isOneTooMany = failures + underWay >= scope.allowance

    if (line.evaluated >= room || (isOneTooMany && underWay > 0)) {
      await evaluationEnd(line)
      continue
    }
    if (isOneTooMany) await passWait(attempts, scope.key, failures - scope.allowance + 1)
    begin(line, keys.username)
    return scope
  }
}

/**
 * A guess that has waited for longer would be evaluated too late, and so would all behind it. That also ends the wait
 * behind evaluations which a store does not answer.
 */
function requireInTime(caller: HashCaller): void {
  if (!caller.isInTime()) throw new AuthError('unavailable')
}

/** Never nothing: who has not failed here yet cannot be locked out by those who fail elsewhere. */
function siteScope({ site }: GuessKeys): Scope {
  return { window: SITE, key: site, allowance: SITE_FAILURES }
}

function pairScope({ pair }: GuessKeys): Scope {
  return { window: PAIR, key: pair, allowance: PAIR_FAILURES }
}

interface Evaluation<T> {
  line: Line
  scope: Scope
  attempt: () => Promise<T>
}

async function evaluate<T>(
  attempts: AttemptCounters,
  keys: GuessKeys,
  { line, scope, attempt }: Evaluation<T>,
): Promise<T> {
  try {
    const result = await attempt()
    await noteRight(attempts, keys)
    return result
  } catch (error) {
    // Counted before the next one is admitted.
    if (isWrongGuess(error)) await countFailure(attempts, keys, scope)
    throw error
  } finally {
    end(line, keys.username)
  }
}

async function countFailure(attempts: AttemptCounters, keys: GuessKeys, scope: Scope): Promise<void> {
  const [ofPair, ofSite] = await Promise.all([
    attempts.count(PAIR, keys.pair),
    attempts.count(SITE, keys.site),
    attempts.count(USERNAME, keys.username),
    attempts.count(ADDRESS, keys.network),
  ])
  const { count } = scope.window === SITE ? ofSite : ofPair
  if (count === scope.allowance) await attempts.count(waitOf(0), scope.key)
}

/** Forgets the wrong guesses before it. */
async function noteRight(attempts: AttemptCounters, { pair, site }: GuessKeys): Promise<void> {
  await Promise.all([
    attempts.count(LOGIN, pair),
    attempts.clear(PAIR, pair),
    attempts.clear(SITE, site),
    attempts.clear(waitOf(0), pair),
    attempts.clear(waitOf(0), site),
  ])
}

/** Lets one guess pass and makes the next one wait; rejects with `throttled` while the wait before lasts. */
async function passWait(attempts: AttemptCounters, key: string, excess: number): Promise<void> {
  const { count, resetMs } = await attempts.count(waitOf(excess), key)
  if (count > 1) throw refusal(resetMs)
}

/** Twice the one before: 1, 2, 4 … seconds. */
function waitOf(excess: number): AttemptWindow {
  return { name: 'wait', seconds: Math.min(2 ** excess, GREATEST_WAIT_SECONDS) }
}

interface GuessKeys {
  network: string
  /** Whose guesses wait for each other. */
  block: string
  pair: string
  site: string
  username: string
}

function keysOf(asTyped: string, ipAddress: string): GuessKeys {
  const username = usernameKey(asTyped)
  const network = networkOf(ipAddress)
  const block = siteOf(ipAddress)
  return {
    network,
    block,
    pair: JSON.stringify([network, username]),
    site: JSON.stringify([block, username]),
    username,
  }
}

function isWrongGuess(error: unknown): boolean {
  return error instanceof AuthError && error.code === 'credentials_invalid'
}

function refusal(waitMs: number): AuthError {
  return new AuthError('throttled', { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) })
}
