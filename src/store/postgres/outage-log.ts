// Tells of an outage of Postgres: each reason for it once, and its end.
import { DatabaseError } from 'pg'
import type { SystemLog } from '../../ops/log.ts'
import { NotPrimaryError, TAKES_NO_WRITES } from './postgres-health.ts'

export interface OutageLog {
  /** Postgres has done what it was asked, or has refused it. */
  answered(): void
  failed(error: unknown): void
}

export function outageLog(log: SystemLog): OutageLog {
  /** The reasons that were told since Postgres last answered. */
  const told = new Set<string>()

  return {
    answered: () => {
      if (told.size > 0) log.info('Postgres answers again')
      told.clear()
    },

    failed: (error) => {
      const wrongServer = wrongServerOf(error)
      const reason = wrongServer ?? codeOf(error)
      if (told.has(reason)) return
      told.add(reason)
      const said = wrongServer ?? 'Postgres does not answer'
      log.error({ err: error }, `${said}: logins and logouts are told to try again (503)`)
    },
  }
}

/** Names the kind of server that was asked, where it is not the primary; else `null`. */
function wrongServerOf(error: unknown): string | null {
  if (error instanceof NotPrimaryError) return error.message
  return error instanceof DatabaseError && error.code === '25006' ? TAKES_NO_WRITES : null
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  // Silence has many voices (of the pool, the driver, the connection), and no code.
  return typeof code === 'string' ? code : 'no answer'
}
