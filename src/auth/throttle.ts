// How guessing is slowed: by address, by username and address, and by username from anywhere.
import ipaddr from 'ipaddr.js'
import { AuthError } from './errors.ts'
import type { AttemptCounters, AttemptWindow } from './ports.ts'
import { usernameKey } from './username-key.ts'

export interface ThrottleDeps {
  attempts: AttemptCounters
}

export interface Guess {
  username: string
  ipAddress: string
}

const ADDRESS: AttemptWindow = { name: 'address', seconds: 60 }
const ADDRESS_ATTEMPTS = 120

/** Failures of one username from one address. */
const PAIR: AttemptWindow = { name: 'pair', seconds: 3600 }
const PAIR_FAILURES = 10
const PAIR_FAILURES_UNDER_ATTACK = 1

/** Failures of one username from anywhere: beyond them, the name is under attack. */
const USERNAME: AttemptWindow = { name: 'username', seconds: 3600 }
const USERNAME_FAILURES = 100

const GREATEST_WAIT_SECONDS = 900

/**
 * Runs `attempt`, which is one guess at the password of `username`, known or not, and resolves to what
 * it resolves to. Rejects with `throttled`, without running it, or with what it rejects with; only
 * `credentials_invalid` counts as a wrong guess.
 */
export async function throttled<T>(deps: ThrottleDeps, guess: Guess, attempt: () => Promise<T>): Promise<T> {
  // First and alone: what is refused here leaves no other keys behind.
  await throttleAddress(deps, guess.ipAddress)
  const keys = keysOf(guess)
  await admit(deps, keys)
  try {
    const result = await attempt()
    await forgive(deps, keys)
    return result
  } catch (error) {
    if (!isWrongGuess(error)) await takeBack(deps, keys)
    throw error
  }
}

/** Counts one attempt of this address, whoever it is for; rejects with `throttled` when there are too many. */
export async function throttleAddress({ attempts }: ThrottleDeps, ipAddress: string): Promise<void> {
  const { count, resetMs } = await attempts.count(ADDRESS, networkOf(ipAddress))
  if (count > ADDRESS_ATTEMPTS) throw refusal(resetMs)
}

interface GuessKeys {
  pair: string
  username: string
}

function keysOf({ username, ipAddress }: Guess): GuessKeys {
  const key = usernameKey(username)
  return { pair: JSON.stringify([networkOf(ipAddress), key]), username: key }
}

/** Counts the guess as wrong before anyone knows, so that parallel guesses cannot all slip through. */
async function admit(deps: ThrottleDeps, keys: GuessKeys): Promise<void> {
  const { attempts } = deps
  const [ofPair, ofUsername] = await Promise.all([
    attempts.count(PAIR, keys.pair),
    attempts.count(USERNAME, keys.username),
  ])
  // Never nothing: who has not failed here yet cannot be locked out by those who fail elsewhere.
  const allowance = ofUsername.count > USERNAME_FAILURES ? PAIR_FAILURES_UNDER_ATTACK : PAIR_FAILURES
  const excess = ofPair.count - allowance
  if (excess <= 0) return

  const waitSeconds = Math.min(2 ** (excess - 1), GREATEST_WAIT_SECONDS)
  const waitMs = await attempts.pass(keys.pair, waitSeconds)
  if (waitMs === 0) return
  await takeBack(deps, keys)
  throw refusal(waitMs)
}

async function forgive({ attempts }: ThrottleDeps, keys: GuessKeys): Promise<void> {
  await Promise.all([attempts.clear(PAIR, keys.pair), attempts.uncount(USERNAME, keys.username)])
}

async function takeBack({ attempts }: ThrottleDeps, keys: GuessKeys): Promise<void> {
  await Promise.all([attempts.uncount(PAIR, keys.pair), attempts.uncount(USERNAME, keys.username)])
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
