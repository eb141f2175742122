// The Postgres of a run: killed without a word, hung with all its processes, slow to commit.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { embeddedPostgres } from '../../src/embedded/postgres/embedded-postgres.ts'
import type { EmbeddedServer } from '../../src/embedded/server.ts'
import { migrateUp } from '../../src/store/postgres/migrate.ts'
import { signalTree } from '../support/servers/process-tree.ts'

/** What any run asks of its Postgres. */
export interface RunPostgres {
  url: () => string
  sql: (text: string, values?: unknown[]) => Promise<void>
  remove: () => Promise<void>
}

/** Its URL changes with every start. */
export interface PostgresWorld extends RunPostgres {
  /** Ends it at once, in the middle of everything: it recovers at its next start. */
  kill: () => Promise<void>
  /** On what it has on disk. */
  start: () => Promise<void>
  hang: () => void
  goOn: () => void
  /** From now on, each transaction that writes to the journal takes up to `seconds` to commit. */
  slowCommits: (seconds: number) => Promise<void>
}

// Deferred, so that it sleeps when the row is written, its time is set, and nobody else can see it yet.
const SLOW_COMMITS = `
  CREATE TABLE slow_commits (seconds float8 NOT NULL);
  INSERT INTO slow_commits VALUES (0);
  CREATE FUNCTION commit_slowly() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE most float8;
  BEGIN
    SELECT seconds INTO most FROM slow_commits;
    IF most > 0 THEN PERFORM pg_sleep(random() * most); END IF;
    RETURN NULL;
  END $$;
  CREATE CONSTRAINT TRIGGER commit_slowly AFTER INSERT OR UPDATE ON revocations
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION commit_slowly()`

/** Migrated, and empty. */
export async function postgresWorld(): Promise<PostgresWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'signoff-fault-'))
  const launch = async () => await embeddedPostgres({ dataDir, env: process.env, say: () => undefined })
  let server = await launch()
  let isHung = false
  await migrateUp(server.url)

  const sql: PostgresWorld['sql'] = async (text, values) => {
    await runSql(server.url, text, values)
  }
  const goOn = (): void => {
    if (isHung) signalTree(server.pid, 'SIGCONT')
    isHung = false
  }
  await sql(SLOW_COMMITS)

  return {
    url: () => server.url,
    sql,
    kill: async () => {
      goOn()
      await ended(server)
    },
    start: async () => {
      server = await launch()
    },
    hang: () => {
      isHung = true
      signalTree(server.pid, 'SIGSTOP')
    },
    goOn,
    slowCommits: async (seconds) => {
      await sql('UPDATE slow_commits SET seconds = $1', [seconds])
    },
    remove: async () => {
      goOn()
      await ended(server)
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** On a connection of its own. */
export async function runSql(url: string, text: string, values: unknown[] = []): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(text, values)
  } finally {
    await client.end()
  }
}

/** SIGQUIT is Postgres's immediate shutdown: as a crash, but that its processes do not outlive it. */
async function ended(server: EmbeddedServer): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    server.onExit(() => {
      resolve()
    })
  })
  try {
    process.kill(server.pid, 'SIGQUIT')
  } catch {
    // Gone already.
  }
  await gone
}
