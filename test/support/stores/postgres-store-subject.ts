// The ports over a real Postgres as the conformance suites want them.
import type { EntryRow, StoreSubject } from '../../conformance/store-subject.ts'
import { usernameKeys } from '../../../src/auth/accounts/username-key.ts'
import { logEntries } from '../../../src/store/postgres/log-entries.ts'
import type { Journal } from '../../../src/auth/ports/denials.ts'
import { journalReader, type JournalReader } from '../../../src/store/postgres/journal-reader.ts'
import { postgresJournal } from '../../../src/store/postgres/postgres-journal.ts'
import { postgresOwnAccount } from '../../../src/store/postgres/postgres-own-account.ts'
import { postgresPeers } from '../../../src/store/postgres/postgres-peers.ts'
import { postgresSessions } from '../../../src/store/postgres/postgres-sessions.ts'
import { postgresUserAdmin } from '../../../src/store/postgres/postgres-user-admin.ts'
import { postgresUsers } from '../../../src/store/postgres/postgres-users.ts'
import { postgres, type Postgres } from '../../../src/store/postgres/postgres.ts'
import { PATIENCE_MS } from '../service/environment.ts'
import { recordingLog, type RecordingLog } from '../fakes/recording-log.ts'
import { testDatabase, type TestDatabase } from '../servers/postgres.ts'

export interface PostgresPorts extends Omit<
  StoreSubject,
  'entries' | 'addFormerly' | 'deny' | 'loseSession' | 'loseDenial' | 'loseEnd' | 'breakEntries'
> {
  postgres: Postgres
  journal: Journal & JournalReader
  log: RecordingLog
  /** How many entries were reported as lost. */
  entryFailures: () => number
}

export interface PostgresStoreSubject extends PostgresPorts, StoreSubject {
  journal: Journal & JournalReader
  database: TestDatabase
}

const LEEWAY_SECONDS = 5

/**
 * Every port over the Postgres at `url`, wired as the service wires them. Its patience with Postgres is that of the
 * tests, since the machine may be slow; a test of the service's own patience names its `timeoutMs`.
 */
export function postgresPorts(
  url: string,
  { timeoutMs = PATIENCE_MS }: { timeoutMs?: number } = {},
): PostgresPorts {
  const log = recordingLog()
  const database = postgres({ url, log, timeoutMs })
  let failures = 0
  const entries = logEntries({
    postgres: database,
    log,
    onFailure: () => {
      failures += 1
    },
    onEvent: () => undefined,
  })
  const storeDeps = { postgres: database, logEntries: entries, leewaySeconds: LEEWAY_SECONDS }
  return {
    postgres: database,
    users: postgresUsers(database),
    sessions: postgresSessions(storeDeps),
    journal: { ...postgresJournal(storeDeps), ...journalReader(database) },
    userAdmin: postgresUserAdmin(storeDeps),
    ownAccount: postgresOwnAccount(storeDeps),
    auditLog: entries,
    peers: postgresPeers(database),
    leewaySeconds: LEEWAY_SECONDS,
    nowMs: Date.now,
    log,
    entryFailures: () => failures,
    close: async () => {
      await database.close()
    },
  }
}

/** On a database of its own; `timeoutMs` is the patience of each question to it. */
export async function postgresStoreSubject(options?: { timeoutMs: number }): Promise<PostgresStoreSubject> {
  const database = await testDatabase()
  return subjectOn(database, { release: database.drop, ports: postgresPorts(database.url, options) })
}

let spare: TestDatabase | null = null

/** On one that was emptied after its last use, which is sooner done than making one. Change nothing of its schema. */
export async function emptiedStoreSubject(): Promise<PostgresStoreSubject> {
  const database = spare ?? (await testDatabase())
  spare = null
  const release = async (): Promise<void> => {
    await database.sql(EMPTY)
    spare = database
  }
  return subjectOn(database, { release, ports: postgresPorts(database.url) })
}

// As a replica, so that the tables may come in any order.
const EMPTY = `DO $$ DECLARE name text; BEGIN
  ALTER TABLE IF EXISTS logs_away RENAME TO logs;
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^(signoff_|database_identity)' LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
END $$`

function subjectOn(
  database: TestDatabase,
  { release, ports }: { release: () => Promise<void>; ports: PostgresPorts },
): PostgresStoreSubject {
  return {
    ...ports,
    database,
    entries: async () =>
      await database.sql<EntryRow>(
        `SELECT event_type AS type, user_id AS "userId", session_id AS "sessionId",
                ip_address AS "ipAddress", user_agent AS "userAgent", message
         FROM logs ORDER BY created_at, id`,
      ),
    addFormerly: async ({ id, username, passwordHash, role, isActive }) => {
      const [key] = usernameKeys(username)
      await database.sql(
        `INSERT INTO users (id, username, username_key, password_hash, role, is_active) VALUES ($1, $2, $3, $4, $5, $6)`,
        [id, username, key, passwordHash, role, isActive],
      )
    },
    deny: async (id, expiresInMs) => {
      await database.sql(
        `INSERT INTO revocations (denied_id, partition, reason, expires_at)
         VALUES ($1, '00', 'logout', now() + $2::float8 * interval '1 millisecond')`,
        [id, expiresInMs],
      )
    },
    loseSession: async (id) => {
      await database.sql('DELETE FROM user_sessions WHERE id = $1', [id])
    },
    loseDenial: async (id) => {
      await database.sql('DELETE FROM revocations WHERE denied_id = $1', [id])
    },
    loseEnd: async (sessionId) => {
      await database.sql('UPDATE user_sessions SET ended_at = NULL, end_reason = NULL WHERE id = $1', [
        sessionId,
      ])
      await database.sql('DELETE FROM revocations WHERE denied_id = $1', [sessionId])
    },
    breakEntries: async () => {
      await database.sql('ALTER TABLE logs RENAME TO logs_away')
    },
    close: async () => {
      await ports.close()
      await release()
    },
  }
}
