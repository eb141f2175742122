// The rows of a simulated Postgres, with what it takes to undo the commits of the last seconds.
import type { EndReason } from '../../../src/auth/ports/session-ends.ts'

export interface SessionRow {
  id: string
  userId: string
  refreshJti: string
  generation: number
  rotatedAtMs: number | null
  presentedGeneration: number
  lateReplayAtMs: number | null
  createdAtMs: number
  lastSeenAtMs: number
  expiresAtMs: number
  endReason: EndReason | null
}

export interface RevocationRow {
  seq: number
  deniedId: string
  createdAtMs: number
  expiresAtMs: number
}

export interface InstanceRow {
  id: string
  seenAtMs: number
  leftAtMs: number | null
  isCommand: boolean
}

export interface LockRow {
  holder: string | null
  expiresAtMs: number
}

export interface UserRow {
  id: string
  username: string
  isActive: boolean
}

/** A table whose rows are replaced, never changed: so that a commit can be undone. */
export interface Table<Row> {
  get: (key: string) => Row | undefined
  put: (key: string, row: Row) => void
  delete: (key: string) => void
  values: () => IterableIterator<Row>
  readonly size: number
}

export interface PostgresRows {
  readonly users: Table<UserRow>
  readonly sessions: Table<SessionRow>
  readonly revocations: Table<RevocationRow>
  readonly instances: Table<InstanceRow>
  readonly locks: Table<LockRow>
  nextSeq: () => number
  /** Does that as one transaction. */
  commit: <T>(atMs: number, work: () => T) => T
  /** Undoes what was committed since then, as far back as is kept. */
  loseSince: (ms: number) => void
  /** How far back it could be undone. */
  readonly undoableSinceMs: number
}

/** A database, or one that begins as a copy of another. */
export function postgresRows(origin?: PostgresRows): PostgresRows {
  let undo: (() => void)[] = []
  let log: { atMs: number; undo: (() => void)[] }[] = []
  let undoableSinceMs = 0
  let seq = 0

  const rows: PostgresRows = {
    users: table(origin?.users),
    sessions: table(origin?.sessions),
    revocations: table(origin?.revocations),
    instances: table(origin?.instances),
    locks: table(origin?.locks),
    nextSeq: () => {
      const before = seq
      // A sequence is lost with the tail, too, and its numbers are used again.
      undo.push(() => {
        seq = before
      })
      seq += 1
      return seq
    },
    commit: (atMs, work) => {
      undo = []
      const value = work()
      log.push({ atMs, undo })
      if (log.length > MAX_UNDONE) {
        const kept = log.slice(-MAX_UNDONE / 2)
        undoableSinceMs = kept[0]?.atMs ?? atMs
        log = kept
      }
      return value
    },
    loseSince: (ms) => {
      while (log.length > 0 && (log.at(-1)?.atMs ?? 0) >= ms)
        for (const back of (log.pop()?.undo ?? []).reverse()) back()
    },
    get undoableSinceMs() {
      return undoableSinceMs
    },
  }
  return rows

  function table<Row>(copied?: Table<Row>): Table<Row> {
    const held = new Map<string, Row>(copied ? [...copiedEntries(copied)] : [])
    return {
      get: (key) => held.get(key),
      put: (key, row) => {
        const before = held.get(key)
        undo.push(() => {
          if (before === undefined) held.delete(key)
          else held.set(key, before)
        })
        held.set(key, row)
      },
      delete: (key) => {
        const before = held.get(key)
        if (before === undefined) return
        undo.push(() => {
          held.set(key, before)
        })
        held.delete(key)
      },
      values: () => held.values(),
      get size() {
        return held.size
      },
    }
  }
}

/** Of commits. */
const MAX_UNDONE = 4000

function* copiedEntries<Row>(copied: Table<Row>): Iterable<[string, Row]> {
  for (const row of copied.values()) yield [keyOf(row as object), row]
}

function keyOf(row: object): string {
  return 'deniedId' in row ? String(row.deniedId) : 'id' in row ? String(row.id) : 'relay'
}
