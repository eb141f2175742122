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
  /** Called for what has happened, whether its entry could be written or not. */
  onEvent: (entry: LogEntry) => void
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

export interface LoggedWork<T> {
  entry: LogEntry
  /** Whether the result says that there is something to tell. */
  hasHappened: (result: T) => boolean
  work: (isLogged: boolean) => Promise<T>
}

/**
 * Does the work with its entry. Where Postgres refuses that, does it without, and writes the entry
 * alone: what was in the way may have been neither. An entry that cannot be written is reported.
 */
export async function despiteEntry<T>(
  deps: LogEntriesDeps,
  { entry, hasHappened, work }: LoggedWork<T>,
): Promise<T> {
  const { result, isLogged } = await work(true).then(
    (logged) => ({ result: logged, isLogged: true }),
    async (error: unknown) => {
      if (!isRefusal(error)) throw error
      return { result: await work(false), isLogged: false }
    },
  )
  if (hasHappened(result)) {
    deps.onEvent(entry)
    if (!isLogged) await writeAlone(deps, entry)
  }
  return result
}

/** Never rejects. */
async function writeAlone({ postgres, log, onFailure }: LogEntriesDeps, entry: LogEntry): Promise<void> {
  try {
    const { userId = null, sessionId = null } = entry
    await postgres.query(WRITE_ENTRY, [...entryValues(entry), userId, sessionId])
  } catch (error) {
    onFailure()
    log.error({ eventType: entry.type, err: error }, 'a log entry could not be written')
  }
}

export function logEntries(deps: LogEntriesDeps): LogEntries {
  const { postgres } = deps
  return {
    query: async <Row extends object>(statement: LoggedStatement, values: unknown[], entry: LogEntry) =>
      await despiteEntry(deps, {
        entry,
        hasHappened: (rows: Row[]) => rows.length > 0,
        work: async (isLogged) =>
          isLogged
            ? await postgres.query<Row>(statement.withEntry, [...values, ...entryValues(entry)])
            : await postgres.query<Row>(statement.withoutEntry, values),
      }),
  }
}

/** Entries that describe no statement, such as a failed login. */
export function postgresAuditLog(deps: LogEntriesDeps): AuditLog {
  return {
    write: async (entry) => {
      deps.onEvent(entry)
      await writeAlone(deps, entry)
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
