// How often the relay and the feed look, and how long they wait for Postgres: the same shares of any short lease.

export interface Pace {
  /** Milliseconds from one look to the next. */
  intervalMs: number
  /** Milliseconds after which a Postgres that has not answered is done without. */
  postgresPatienceMs: number
}

const INTERVAL_MS = 1000
const POSTGRES_PATIENCE_MS = 500
/** A shorter one is renewed as many times: what is known of a store would be too old for a part of it otherwise. */
const UNHURRIED_LEASE_SECONDS = 5

export function paceOf(leaseSeconds: number): Pace {
  const share = Math.min(1, leaseSeconds / UNHURRIED_LEASE_SECONDS)
  return { intervalMs: INTERVAL_MS * share, postgresPatienceMs: POSTGRES_PATIENCE_MS * share }
}
