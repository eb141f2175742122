// CPU time of the processes under load, by their own account.
import { readFile } from 'node:fs/promises'
import type { TestEnvironment } from '../support/service/environment.ts'

/** Microseconds of CPU since each began. */
export interface CpuReading {
  server: number
  redis: number
  /** By process, of which Postgres has one for every connection; empty where this system does not tell. */
  postgres: Map<number, number>
}

/** Microseconds; `null` where this system does not tell. */
export interface CpuTimes {
  server: number
  postgres: number | null
  redis: number
}

export async function readCpu(environment: TestEnvironment): Promise<CpuReading> {
  const [postgres, redis] = await Promise.all([postgresCpu(environment), redisCpu(environment)])
  return { postgres, redis, server: await serverCpu(environment.signoff.adminUrl) }
}

export function cpuBetween(before: CpuReading, after: CpuReading): CpuTimes {
  // A process that ended in between is left out: idle connections are closed after a while.
  const postgres = [...after.postgres].map(([pid, time]) => time - (before.postgres.get(pid) ?? 0))
  return {
    server: after.server - before.server,
    postgres: postgres.length > 0 ? sum(postgres) : null,
    redis: after.redis - before.redis,
  }
}

/** Of one core; `null` where this system does not tell. */
export type CoreShares = CpuTimes

export function coreShares(before: CpuReading, after: CpuReading, seconds: number): CoreShares {
  const { server, postgres, redis } = cpuBetween(before, after)
  const share = (microseconds: number): number => microseconds / 1e6 / seconds
  return {
    server: share(server),
    postgres: postgres === null ? null : share(postgres),
    redis: share(redis),
  }
}

async function serverCpu(adminUrl: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  const seconds = /^process_cpu_seconds_total (\S+)/m.exec(text)?.[1]
  return Number(seconds) * 1e6
}

async function redisCpu({ redis }: TestEnvironment): Promise<number> {
  const text = await redis.client.info('cpu')
  const seconds = ['sys', 'user'].map((kind) => new RegExp(`^used_cpu_${kind}:(\\S+)`, 'm').exec(text)?.[1])
  return sum(seconds.map(Number)) * 1e6
}

async function postgresCpu({ database }: TestEnvironment): Promise<Map<number, number>> {
  const processes = await database.sql<{ pid: number }>(
    'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
  )
  const times = await Promise.all(processes.map(async ({ pid }) => ({ pid, time: await processCpu(pid) })))
  return new Map(times.flatMap(({ pid, time }) => (time === null ? [] : [[pid, time]])))
}

/** Linux tells the time a process ran in nanoseconds. */
async function processCpu(pid: number): Promise<number | null> {
  try {
    const [nanoseconds] = (await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ')
    return Number(nanoseconds) / 1000
  } catch {
    return null
  }
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
