// Removes the rows that nothing depends on any more, in small batches, one instance at a time.
import { setTimeout as sleep } from 'node:timers/promises'
import { AuthError } from '../../auth/errors.ts'
import type { SystemLog } from '../../ops/log.ts'
import type { Locks } from './locks.ts'
import type { Postgres, Statement } from './postgres.ts'

export interface PruningDeps {
  postgres: Postgres
  locks: Locks
  log: SystemLog
  leewaySeconds: number
  logRetentionSeconds: number
  /** For tests. */
  timing?: PruningTiming
}

export interface PruningTiming {
  /** Between the end of one round and the next. */
  intervalMs: number
  /** Between batches, in which Postgres does what users wait for. */
  pauseMs: number
}

export interface Pruning {
  /** Resolves when the batch under way is done. Never rejects. */
  stop(): Promise<void>
}

const TIMING: PruningTiming = { intervalMs: 10_000, pauseMs: 20 }
/** A batch is a transaction of some milliseconds: the relay's watermark waits for it. */
const BATCH_ROWS = 1000
/** Longer than an interval, so that it stays with one instance; another one goes on after this. */
const LOCK_SECONDS = 30
const MINUTE_SECONDS = 60
const DAY_SECONDS = 86_400

interface Prunable {
  table: string
  statement: Statement
  /** How far back the time of a row must lie. */
  ageSeconds: number
}

function prunable(
  table: string,
  { key, time, ageSeconds }: { key: string; time: string; ageSeconds: number },
) {
  // A row that somebody has locked waits for the next round: the other way round, a logout would wait.
  const text = `
    WITH removed AS (
      DELETE FROM ${table} WHERE ${key} = ANY (ARRAY(
        SELECT ${key} FROM ${table} WHERE ${time} < now() - $1::float8 * interval '1 second'
        ORDER BY ${time} LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED
      ))
      RETURNING 1
    )
    SELECT count(*)::int AS rows FROM removed`
  return { table, statement: { name: `prune.${table}`, text }, ageSeconds }
}

function prunables({ leewaySeconds, logRetentionSeconds }: PruningDeps): Prunable[] {
  return [
    // Leeway is part of the time that stands there.
    prunable('revocations', { key: 'seq', time: 'expires_at', ageSeconds: 0 }),
    // As long as a rotation may still find it, and a minute for clocks that differ.
    prunable('user_sessions', {
      key: 'id',
      time: 'expires_at',
      ageSeconds: leewaySeconds + MINUTE_SECONDS,
    }),
    prunable('instances', { key: 'id', time: 'seen_at', ageSeconds: DAY_SECONDS }),
    prunable('logs', { key: 'id', time: 'created_at', ageSeconds: logRetentionSeconds }),
  ]
}

/** Removes what is due now and then, from one interval after this on; what fails is tried again in the next round. */
export function startPruning(deps: PruningDeps): Pruning {
  const { postgres, locks, log, timing = TIMING } = deps
  const all = prunables(deps)
  const stopping = new AbortController()
  /** The tables whose failure was told, each once until it is over. */
  const failing = new Set<string>()
  const running = run()

  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }

  async function run(): Promise<void> {
    while (await pause(timing.intervalMs)) await round()
  }

  /** A batch of each table in turn, so that a long arrears of one holds up no other. */
  async function round(): Promise<void> {
    let due = all
    do {
      const unfinished: Prunable[] = []
      for (const table of due) {
        const outcome = await removeBatch(table)
        if (outcome === 'not now') return
        if (outcome === 'more is due') unfinished.push(table)
      }
      due = unfinished
    } while (due.length > 0 && (await pause(timing.pauseMs)))
  }

  async function removeBatch({ table, statement, ageSeconds }: Prunable): Promise<Outcome> {
    try {
      if (stopping.signal.aborted || !(await locks.hold('prune', LOCK_SECONDS))) return 'not now'
      const [removed] = await postgres.query<{ rows: number }>(statement, [ageSeconds])
      failing.delete(table)
      return removed?.rows === BATCH_ROWS ? 'more is due' : 'done'
    } catch (error) {
      const isRefusal = error instanceof AuthError && error.code === 'failed'
      // Postgres tells of its own outages.
      if (isRefusal && !failing.has(table))
        log.warn({ table, err: error }, 'expired rows cannot be removed for now')
      if (isRefusal) failing.add(table)
      // A refusal is about one table; what does not answer would be waited for once more at each of the others.
      return isRefusal ? 'done' : 'not now'
    }
  }

  /** Resolves to `false` when it is time to stop. */
  async function pause(ms: number): Promise<boolean> {
    return await sleep(ms, true, { signal: stopping.signal }).catch(() => false)
  }
}

type Outcome = 'more is due' | 'done' | 'not now'
