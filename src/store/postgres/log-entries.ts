// Log entries in SQL: they ride in the statement they describe, and never make it fail.
import { v7 as uuidv7 } from 'uuid'
import type { AuditLog, LogEntry } from '../../auth/ports/log.ts'
import type { SystemLog } from '../../ops/log.ts'
import { isLockTimeout, isRefusal, type Postgres, type Statement } from './postgres.ts'

/** A statement whose last parameters are those of its log entry, as `insertEntry` numbers them. */
export interface LoggedStatement {
  withEntry: Statement
  /** Does the same and writes no entry; takes the same parameters less the last ones. */
  withoutEntry: Statement
}

/** One store of entries does this for all who have something to tell. */
export interface LogEntries extends AuditLog {
  /** Asks the statement, its entry with it. */
  query<Row extends object>(statement: LoggedStatement, values: unknown[], entry: LogEntry): Promise<Row[]>
  /**
   * Does the work with its entry. Where Postgres refuses that, does it without, and writes the entry
   * alone: what was in the way may have been neither. An entry that cannot be written is reported.
   */
  despite<T>(logged: LoggedWork<T>): Promise<T>
}

export interface LoggedWork<T> {
  work: (isLogged: boolean) => Promise<T>
  /** The entry as the result completes it; `null` when nothing has happened. */
  tell: (result: T) => LogEntry | null
}

export interface LogEntriesDeps {
  postgres: Postgres
  log: SystemLog
  /** Called for each entry that could not be written. */
  onFailure: () => void
  /** Called for what has happened, whether its entry could be written or not. */
  onEvent: (entry: LogEntry) => void
}

/**
 * How long no entry is tried after one that met a lock on its table: each that waits there holds a
 * connection, and these are needed for what the entries tell of.
 */
const PAUSE_MS = 1000

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

export function logEntries({ postgres, log, onFailure, onEvent }: LogEntriesDeps): LogEntries {
  let pausedUntil = 0
  const isPaused = (): boolean => performance.now() < pausedUntil

  async function despite<T>({ work, tell }: LoggedWork<T>): Promise<T> {
    const { result, isLogged } = await tryWithEntry(work)
    const entry = tell(result)
    if (!entry) return result

    onEvent(entry)
    if (!isLogged) await writeAlone(entry)
    return result
  }

  async function tryWithEntry<T>(work: LoggedWork<T>['work']): Promise<{ result: T; isLogged: boolean }> {
    if (isPaused()) return { result: await work(false), isLogged: false }
    try {
      return { result: await work(true), isLogged: true }
    } catch (error) {
      if (!isRefusal(error)) throw error
      return { result: await work(false), isLogged: false }
    }
  }

  /** Never rejects. */
  async function writeAlone(entry: LogEntry): Promise<void> {
    try {
      if (isPaused()) throw new Error('the logs were locked a moment ago')
      const { userId = null, sessionId = null } = entry
      await postgres.query(WRITE_ENTRY, [...entryValues(entry), userId, sessionId])
    } catch (error) {
      if (isLockTimeout(error)) pausedUntil = performance.now() + PAUSE_MS
      onFailure()
      log.error({ eventType: entry.type, err: error }, 'a log entry could not be written')
    }
  }

  return {
    despite,

    query: async <Row extends object>(statement: LoggedStatement, values: unknown[], entry: LogEntry) =>
      await despite({
        work: async (isLogged) =>
          isLogged
            ? await postgres.query<Row>(statement.withEntry, [...values, ...entryValues(entry)])
            : await postgres.query<Row>(statement.withoutEntry, values),
        tell: (rows) => (rows.length > 0 ? entry : null),
      }),

    write: async (entry) => {
      onEvent(entry)
      await writeAlone(entry)
    },
  }
}

export function entryValues({ type, caller, message }: LogEntry): unknown[] {
  return [uuidv7(), type, caller.ipAddress, caller.userAgent, message === undefined ? null : oneLine(message)]
}

/** It may quote what a caller sent. */
function oneLine(message: string): string {
  return message.slice(0, MAX_MESSAGE_CHARACTERS).replace(/\p{Cc}/gu, ' ')
}
