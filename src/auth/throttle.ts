// How guessing is slowed: by address, by username and address, and by username from anywhere.
import ipaddr from 'ipaddr.js'
import { AuthError } from './errors.ts'
import type { AttemptCounters, AttemptWindow } from './ports/attempts.ts'
import { usernameKey } from './username-key.ts'

export interface ThrottleDeps {
  throttle: Throttle
}

/** One for each process: it knows which guesses are being evaluated at this moment. */
export interface Throttle {
  /**
   * Runs `attempt`, which is one guess at the password of `username`, known or not, and resolves to what
   * it resolves to. Rejects with `throttled` without running it, with `unavailable` when too many guesses
   * wait for each other, or with what `attempt` rejects with; only `credentials_invalid` counts as wrong.
   */
  guess<T>(guess: Guess, attempt: () => Promise<T>): Promise<T>
  /** Counts one attempt of this address, whatever comes of it. Rejects with `throttled` when there are too many. */
  address(ipAddress: string): Promise<void>
}

export interface Guess {
  username: string
  ipAddress: string
}

const ADDRESS: AttemptWindow = { name: 'address', seconds: 60 }
const ADDRESS_FAILURES = 120

/** Failures of one username from one address. */
const PAIR: AttemptWindow = { name: 'pair', seconds: 3600 }
const PAIR_FAILURES = 10
const PAIR_FAILURES_UNDER_ATTACK = 1

/** Failures of one username from anywhere: beyond them, the name is under attack. */
const USERNAME: AttemptWindow = { name: 'username', seconds: 3600 }
const USERNAME_FAILURES = 100

const GREATEST_WAIT_SECONDS = 900
/** Guesses at one username from one address that wait for each other. */
const MAX_LINE = 512

/** Those who guess at one username from one address at this moment. */
interface Line {
  /** Waiting or being evaluated. */
  length: number
  evaluated: number
  /** Ends when whoever stands ahead is admitted or refused. */
  turn: Promise<void>
  /** Wakes the one at the head when an evaluation has ended. */
  wake: () => void
}

export function createThrottle(attempts: AttemptCounters): Throttle {
  const lines = new Map<string, Line>()
  return {
    guess: async (guess, attempt) => {
      const keys = keysOf(guess)
      const line = lines.get(keys.pair) ?? newLine()
      if (line.length >= MAX_LINE) throw new AuthError('unavailable')
      lines.set(keys.pair, line)
      line.length += 1
      try {
        const allowance = await inTurn(line, async () => await admit(attempts, keys, line))
        return await evaluate(attempts, keys, { line, allowance, attempt })
      } finally {
        line.length -= 1
        if (line.length === 0) lines.delete(keys.pair)
      }
    },

    address: async (ipAddress) => {
      const { count, resetMs } = await attempts.count(ADDRESS, networkOf(ipAddress))
      if (count > ADDRESS_FAILURES) throw refusal(resetMs)
    },
  }
}

/**
 * Resolves when the guess may be evaluated, to how many failures go without a wait. Those under way count as failures until they have ended, and
 * who stands behind them waits: of a hundred wrong guesses at once no more are evaluated than of as many
 * in a row, and a hundred right ones are all let in.
 */
async function admit(attempts: AttemptCounters, keys: GuessKeys, line: Line): Promise<number> {
  for (;;) {
    const [ofAddress, ofPair, ofUsername] = await Promise.all([
      attempts.peek(ADDRESS, keys.network),
      attempts.peek(PAIR, keys.pair),
      attempts.peek(USERNAME, keys.username),
    ])
    if (ofAddress.count >= ADDRESS_FAILURES) throw refusal(ofAddress.resetMs)
    // Never nothing: who has not failed here yet cannot be locked out by those who fail elsewhere.
    const allowance = ofUsername.count >= USERNAME_FAILURES ? PAIR_FAILURES_UNDER_ATTACK : PAIR_FAILURES
    const isFree = ofPair.count + line.evaluated < allowance
    if (!isFree && line.evaluated === 0) await passWait(attempts, keys.pair, ofPair.count - allowance + 1)
    if (isFree || line.evaluated === 0) {
      line.evaluated += 1
      return allowance
    }
    await new Promise<void>((resolve) => (line.wake = resolve))
  }
}

interface Evaluation<T> {
  line: Line
  allowance: number
  attempt: () => Promise<T>
}

async function evaluate<T>(
  attempts: AttemptCounters,
  keys: GuessKeys,
  { line, allowance, attempt }: Evaluation<T>,
): Promise<T> {
  try {
    const result = await attempt()
    await Promise.all([attempts.clear(PAIR, keys.pair), attempts.clear(waitOf(0), keys.pair)])
    return result
  } catch (error) {
    // Counted before the next one is admitted.
    if (isWrongGuess(error)) await countFailure(attempts, keys, allowance)
    throw error
  } finally {
    line.evaluated -= 1
    line.wake()
  }
}

async function countFailure(attempts: AttemptCounters, keys: GuessKeys, allowance: number): Promise<void> {
  const [ofPair] = await Promise.all([
    attempts.count(PAIR, keys.pair),
    attempts.count(USERNAME, keys.username),
    attempts.count(ADDRESS, keys.network),
  ])
  if (ofPair.count === allowance) await attempts.count(waitOf(0), keys.pair)
}

/** Lets one guess pass and makes the next one wait; rejects with `throttled` while the wait before lasts. */
async function passWait(attempts: AttemptCounters, pair: string, excess: number): Promise<void> {
  const { count, resetMs } = await attempts.count(waitOf(excess), pair)
  if (count > 1) throw refusal(resetMs)
}

/** Twice the one before: 1, 2, 4 … seconds. */
function waitOf(excess: number): AttemptWindow {
  return { name: 'wait', seconds: Math.min(2 ** excess, GREATEST_WAIT_SECONDS) }
}

function newLine(): Line {
  return { length: 0, evaluated: 0, turn: Promise.resolve(), wake: () => undefined }
}

async function inTurn<T>(line: Line, work: () => Promise<T>): Promise<T> {
  const done = line.turn.then(work)
  line.turn = done.then(
    () => undefined,
    () => undefined,
  )
  return await done
}

interface GuessKeys {
  network: string
  pair: string
  username: string
}

function keysOf({ username, ipAddress }: Guess): GuessKeys {
  const key = usernameKey(username)
  const network = networkOf(ipAddress)
  return { network, pair: JSON.stringify([network, key]), username: key }
}

function isWrongGuess(error: unknown): boolean {
  return error instanceof AuthError && error.code === 'credentials_invalid'
}

function refusal(waitMs: number): AuthError {
  return new AuthError('throttled', { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) })
}

/** Who holds one IPv6 address holds its /64, the least that is given to anyone (RFC 6177). */
function networkOf(ipAddress: string): string {
  if (!ipaddr.isValid(ipAddress)) return ipAddress
  // IPv4 within IPv6 is IPv4: by its /64, all of it would be one network.
  const address = ipaddr.process(ipAddress)
  if (address.kind() === 'ipv4') return address.toString()
  return ipaddr.IPv6.networkAddressFromCIDR(`${ipAddress}/64`).toString()
}
