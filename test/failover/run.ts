// npm run failover: a real Patroni fails over under load, and what becomes of the logouts it loses.
import { freePort } from '../../src/embedded/process/free-port.ts'
import { migrateUp } from '../../src/store/postgres/migrate.ts'
import { writeHistory } from '../fault/history.ts'
import { runSql, type RunPostgres } from '../fault/postgres-world.ts'
import { standaloneRedis } from '../fault/standalone-redis.ts'
import { startService } from '../fault/world.ts'
import { patroniCluster } from '../support/servers/patroni/patroni-cluster.ts'
import { patroniPrograms } from '../support/servers/patroni/programs.ts'
import { descendantsOf } from '../support/servers/process-tree.ts'
import { judge } from './judge.ts'
import { readOptions, USAGE, type Options } from './options.ts'
import { report } from './report.ts'
import { runFailover, type FailoverRun } from './run-failover.ts'

const GIVE_UP_MS = 5 * 60_000
/** So that no token dies of age before the replica has taken over, and long after. */
const TOKEN_TTLS = { ACCESS_TOKEN_TTL: '150', REFRESH_TOKEN_TTL: '180' }

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  if (!options) {
    process.stdout.write(USAGE)
    return 0
  }
  const run = await inWorld(options)
  if (options.history !== null) writeHistory(options.history, run.history)
  const verdict = judge(run, options.mode)
  process.stdout.write(options.json ? `${JSON.stringify(verdict, null, 2)}\n` : report(verdict))
  return Object.keys(verdict.violations).length > 0 ? 1 : 0
}

async function inWorld({ mode, seed }: Options): Promise<FailoverRun> {
  // Which may take minutes where the line is slow, and is not bounded here.
  await patroniPrograms()
  boundInTime()
  const startedAt = performance.now()
  const say = (line: string): void => {
    process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${line}\n`)
  }
  say(`seed ${seed}; Patroni starts`)
  const adminPorts = { one: await freePort(), two: await freePort() }
  const cluster = await patroniCluster(mode === 'sync')
  const { remove } = cluster
  const url = (): string => cluster.url
  await migrateUp(cluster.url).catch(async (error: unknown) => {
    await remove()
    throw error
  })
  const sql: RunPostgres['sql'] = async (text, values) => {
    await runSql(cluster.url, text, values)
  }
  const service = await startService(
    { url, sql, remove },
    {
      redis: standaloneRedis,
      settings: (name) => ({ ...TOKEN_TTLS, ADMIN_PORT: String(adminPorts[name]) }),
    },
  )
  try {
    say('the service runs')
    return await runFailover(service, { cluster, adminPorts, seed, say })
  } finally {
    await service.stop()
  }
}

function boundInTime(): void {
  setTimeout(() => {
    process.stderr.write(`failover: not through within ${GIVE_UP_MS / 60_000} minutes\n`)
    process.exit(1)
  }, GIVE_UP_MS).unref()
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is not.
  }
}

// Whatever ends this ends all that it started.
process.on('exit', () => {
  for (const pid of descendantsOf(process.pid)) killIfThere(pid)
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    process.exit(130)
  })
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`failover: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
