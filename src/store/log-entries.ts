// Log entries in SQL: they ride in the statement they describe, and never make it fail.
import { v7 as uuidv7 } from 'uuid'
import type { AuditLog, LogEntry } from '../auth/ports/log.ts'
import type { SystemLog } from '../ops/log.ts'
import { isRefusal, type Postgres, type Statement } from './postgres.ts'

/** A statement whose last parameters are those of its log entry, as `insertEntry` numbers them. */
export interface LoggedStatement {
  withEntry: Statement
  /** Does the same and writes no entry; takes the same parameters less the last ones. */
  withoutEntry: Statement
}

export interface LogEntries {
  query<Row extends object>(statement: LoggedStatement, values: unknown[], entry: LogEntry): Promise<Row[]>
}

export interface LogEntriesDeps {
  postgres: Postgres
  log: SystemLog
  /** Called for each entry that could not be written. */
  onFailure: () => void
}

const MAX_MESSAGE_CHARACTERS = 500

const COLUMNS = ['id', 'event_type', 'ip_address', 'user_agent', 'message'] as const
const TYPES = ['uuid', 'text', 'text', 'text', 'text'] as const

/** `INSERT INTO logs …` for each row of `source`, which yields `user_id` and `session_id`; parameters from `$first` on. */
export function insertEntry(source: string, first: number): string {
  const parameters = TYPES.map((type, index) => `$${first + index}::${type}`)
  return `INSERT INTO logs (${COLUMNS.join(', ')}, user_id, session_id)
          SELECT ${parameters.join(', ')}, user_id, session_id FROM ${source}`
}

/** An entry that describes no statement; its last parameters are the ids of user and session, or NULL. */
export const WRITE_ENTRY: Statement = {
  name: 'logs.write',
  text: insertEntry('(SELECT $6::uuid AS user_id, $7::uuid AS session_id) AS subject', 1),
}

/** Does the work with its entry; where Postgres refuses that, without it, and reports the loss. */
export async function despiteEntry<T>(
  { log, onFailure }: LogEntriesDeps,
  entry: LogEntry,
  work: (isLogged: boolean) => Promise<T>,
): Promise<T> {
  try {
    return await work(true)
  } catch (error) {
    if (!isRefusal(error)) throw error
    const result = await work(false)
    onFailure()
    log.error({ eventType: entry.type, err: error }, 'a log entry could not be written')
    return result
  }
}

export function logEntries(deps: LogEntriesDeps): LogEntries {
  const { postgres } = deps
  return {
    query: async <Row extends object>(statement: LoggedStatement, values: unknown[], entry: LogEntry) =>
      await despiteEntry(deps, entry, async (isLogged) =>
        isLogged
          ? await postgres.query<Row>(statement.withEntry, [...values, ...entryValues(entry)])
          : await postgres.query<Row>(statement.withoutEntry, values),
      ),
  }
}

/** Entries that describe no statement, such as a failed login. */
export function postgresAuditLog({ postgres, log, onFailure }: LogEntriesDeps): AuditLog {
  return {
    write: async (entry) => {
      try {
        await postgres.query(WRITE_ENTRY, [
          ...entryValues(entry),
          entry.userId ?? null,
          entry.sessionId ?? null,
        ])
      } catch (error) {
        onFailure()
        log.error({ eventType: entry.type, err: error }, 'a log entry could not be written')
      }
    },
  }
}

export function entryValues({ type, origin, message }: LogEntry): unknown[] {
  return [uuidv7(), type, origin.ipAddress, origin.userAgent, message === undefined ? null : oneLine(message)]
}

/** It may quote what a caller sent. */
function oneLine(message: string): string {
  return message.slice(0, MAX_MESSAGE_CHARACTERS).replace(/\p{Cc}/gu, ' ')
}
