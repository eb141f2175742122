// A simulated Postgres: statements that take time, commits that wait or are lost with a failover, clocks that are set.
import { AuthError } from '../../../src/auth/errors.ts'
import type { Random } from '../../fault/random.ts'
import type { Route } from '../network.ts'
import { WORLD_BEGAN_AT, type SimulatedHost } from '../simulated-host.ts'
import type { VirtualTime } from '../virtual-time.ts'
import type { PostgresRows } from './postgres-rows.ts'

export interface SimulatedPostgres {
  readonly rows: PostgresRows
  readonly databaseId: string
  readonly serverEpoch: string
  /** By how much its clock is ahead of the world's. */
  aheadMs: number
  /** A standby, or a server that takes no writes, answers in its place. */
  isInRecovery: boolean
  isRevocationsLocked: boolean
  /** How much longer each commit takes; some take up to ten times that. */
  commitMs: number
  readonly isUp: boolean
  nowMs: () => number
  /** When the oldest of the transactions began that write to the journal; now where there is none. */
  settledUpTo: () => number
  /** What waits to commit does so within a moment. */
  hurry: () => void
  hang: () => void
  resume: () => void
  /** Every connection ends, and what has not committed is undone. */
  down: () => void
  /** As another run of the server, with what it had committed but for the last milliseconds. */
  up: (options: { lostMs: number }) => void
  /** Nobody answers for a moment longer: a statement of a client. See `Statement`. */
  execute: <T>(client: PostgresClient, statement: Statement<T>) => Promise<T>
}

export interface PostgresClient {
  host: SimulatedHost
  route: Route
}

/** All of it is done at one moment, with the time at which its transaction began. */
export interface Statement<T> {
  name: string
  /** Whether it takes locks of a writer, and is one that can be lost. */
  isWrite: boolean
  /** Whether it needs the journal, and waits for nobody who has locked it. */
  needsJournal: boolean
  work: (rows: PostgresRows, nowMs: number) => T
}

const STATEMENT_TIMEOUT_MS = 2000
const LOCK_TIMEOUT_MS = 125
/** Between the beginning of a transaction and its locks. */
const PARSE_MS = 0.3
const COMMIT_MS = 1.5
const HURRIED_MS = 500
const VERY_SLOW_SHARE = 0.1

interface Transaction {
  beganAtMs: number
  isWriter: boolean
  /** Once it does nothing but wait for its commit. */
  commit: (() => void) | null
}

export interface SimulatedPostgresOptions {
  time: VirtualTime
  random: Random
  rows: PostgresRows
  databaseId: string
}

export function simulatedPostgres({
  time,
  random,
  rows,
  databaseId,
}: SimulatedPostgresOptions): SimulatedPostgres {
  let run = 1
  let isUp = true
  let isHung = false
  let backlog: (() => void)[] = []
  const open = new Set<Transaction>()

  const postgres: SimulatedPostgres = {
    rows,
    databaseId,
    get serverEpoch() {
      return `${databaseId}-run-${run}`
    },
    aheadMs: 0,
    isInRecovery: false,
    isRevocationsLocked: false,
    commitMs: 0,
    get isUp() {
      return isUp
    },
    nowMs,
    settledUpTo: () => {
      let oldest = nowMs()
      for (const { isWriter, beganAtMs } of open) if (isWriter && beganAtMs < oldest) oldest = beganAtMs
      return oldest
    },
    hurry: () => {
      for (const { commit } of [...open]) if (commit) time.at(time.nowMs + random.next() * HURRIED_MS, commit)
    },
    hang: () => {
      isHung = true
    },
    resume: () => {
      isHung = false
      const work = backlog
      backlog = []
      for (const one of work) one()
    },
    down: () => {
      isUp = false
      isHung = false
      backlog = []
      open.clear()
      run += 1
    },
    up: ({ lostMs }) => {
      rows.loseSince(time.nowMs - lostMs)
      isUp = true
    },
    execute: async (client, statement) =>
      await new Promise((resolve, reject) => {
        start(client, statement, { resolve, reject })
      }),
  }
  return postgres

  function nowMs(): number {
    return WORLD_BEGAN_AT + time.nowMs + postgres.aheadMs
  }

  function start<T>(
    { host, route }: PostgresClient,
    statement: Statement<T>,
    { resolve, reject }: { resolve: (value: T) => void; reject: (error: Error) => void },
  ): void {
    let isOver = false
    const cancel = host.clock.after(STATEMENT_TIMEOUT_MS, () => {
      over(() => {
        reject(new AuthError('unavailable', { cause: new Error('Query read timeout') }))
      })
    })
    const over = (end: () => void): void => {
      if (isOver) return
      isOver = true
      cancel()
      end()
    }
    const answer = (end: () => void): void => {
      const back = route.back.arrivalMs()
      if (back === null) return
      time.at(back, () => {
        host.deliver(() => {
          over(end)
        })
      })
    }
    const refuse = (reason: string): void => {
      answer(() => {
        reject(new AuthError('unavailable', { cause: new Error(reason) }))
      })
    }
    const there = route.there.arrivalMs()
    if (there === null) return
    time.at(there, () => {
      if (!isUp) {
        refuse('connect ECONNREFUSED')
        return
      }
      begin(statement, {
        refuse,
        succeed: (value) => {
          answer(() => {
            resolve(value)
          })
        },
      })
    })
  }

  /** A hung server begins what it was sent when it goes on, however long its client has been gone. */
  function begin<T>(
    statement: Statement<T>,
    outcome: { refuse: (reason: string) => void; succeed: (value: T) => void },
  ): void {
    if (isHung) {
      backlog.push(() => {
        begin(statement, outcome)
      })
      return
    }
    if (postgres.isInRecovery) {
      outcome.refuse('Postgres is a standby (in recovery)')
      return
    }
    const transaction: Transaction = { beganAtMs: nowMs(), isWriter: false, commit: null }
    open.add(transaction)
    const ownRun = run
    const later = (ms: number, work: () => void): void => {
      time.at(time.nowMs + ms, () => {
        proceed(transaction, ownRun, work)
      })
    }
    if (statement.needsJournal && postgres.isRevocationsLocked) {
      later(LOCK_TIMEOUT_MS, () => {
        open.delete(transaction)
        outcome.refuse('canceling statement due to lock timeout')
      })
      return
    }
    later(random.next() * PARSE_MS, () => {
      if (!statement.isWrite) {
        open.delete(transaction)
        outcome.succeed(statement.work(rows, transaction.beganAtMs))
        return
      }
      transaction.isWriter = statement.needsJournal
      transaction.commit = () => {
        proceed(transaction, ownRun, () => {
          open.delete(transaction)
          outcome.succeed(rows.commit(time.nowMs, () => statement.work(rows, transaction.beganAtMs)))
        })
      }
      time.at(time.nowMs + commitTakesMs(), transaction.commit)
    })
  }

  function commitTakesMs(): number {
    const slowMs = postgres.commitMs * (random.chance(VERY_SLOW_SHARE) ? 10 : random.next())
    return random.next() * COMMIT_MS + slowMs
  }

  function proceed(transaction: Transaction, ownRun: number, work: () => void): void {
    // It has not committed when its server ended: nobody hears of it.
    if (run !== ownRun || !open.has(transaction)) return
    if (isHung) {
      backlog.push(() => {
        proceed(transaction, ownRun, work)
      })
      return
    }
    work()
  }
}
