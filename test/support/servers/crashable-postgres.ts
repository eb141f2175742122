// A Postgres that loses its power, or its last second: always at the same address, on whatever is on its disk.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { embeddedPostgres } from '../../../src/embedded/postgres/embedded-postgres.ts'
import { migrateUp } from '../../../src/store/postgres/migrate.ts'
import { runSql, type TestDatabase } from './postgres.ts'
import { signalTree } from './process-tree.ts'
import { tcpProxy } from './tcp-proxy.ts'

export interface CrashablePostgres extends Omit<TestDatabase, 'drop'> {
  /** `SIGKILL` to all of its processes: what was not on the disk is lost. */
  kill: () => Promise<void>
  /** On what is on its disk. */
  start: () => Promise<void>
  /** Stops, keeps a copy of its disk, and starts again. */
  keep: () => Promise<void>
  /** Kills it, and starts it on the copy that was kept: what came after that never happened. */
  setBack: () => Promise<void>
  remove: () => Promise<void>
}

const run = promisify(execFile)

/** With the schema in it. */
export async function crashablePostgres(): Promise<CrashablePostgres> {
  const home = await mkdtemp(join(tmpdir(), 'signoff-crash-'))
  const [disk, copy] = [join(home, 'disk'), join(home, 'copy')]
  const launch = async () => await embeddedPostgres({ dataDir: disk, env: process.env, say: () => undefined })
  let server = await launch()
  await migrateUp(server.url)
  const portOf = () => Number(new URL(server.url).port)
  const proxy = await tcpProxy(portOf())
  const url = new URL(server.url)
  url.port = String(proxy.port)

  const start = async (): Promise<void> => {
    server = await launch()
    proxy.target(portOf())
  }
  const kill = async (): Promise<void> => {
    signalTree(server.pid, 'SIGKILL')
    await server.stop()
  }

  return {
    url: url.href,
    sql: async <Row extends object>(text: string, values: unknown[] = []) =>
      (await runSql(server.url, text, values)) as Row[],
    kill,
    start,
    keep: async () => {
      await server.stop()
      // Its owner may be another than this process's.
      await run('cp', ['-a', disk, copy])
      await start()
    },
    setBack: async () => {
      await kill()
      await rm(disk, { recursive: true })
      await run('cp', ['-a', copy, disk])
      await start()
    },
    remove: async () => {
      await proxy.close()
      await server.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}
