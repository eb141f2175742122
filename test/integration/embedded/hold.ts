// A process for the tests to kill: takes what its first argument names in the data directory of its second, and waits.
import path from 'node:path'
import { holdDataDir } from '../../../src/embedded/data-dir/hold-data-dir.ts'
import { embeddedPostgres } from '../../../src/embedded/postgres/embedded-postgres.ts'
import { findRedis } from '../../../src/embedded/redis/find-redis.ts'
import { embeddedRedis } from '../../../src/embedded/redis/embedded-redis.ts'

const [, , kind, dataDir = ''] = process.argv
const options = { dataDir, env: process.env, say: () => undefined }

async function take(): Promise<unknown> {
  if (kind === 'postgres') return await embeddedPostgres(options)
  if (kind === 'redis') {
    const binary = await findRedis({ ...options, dataDir: path.resolve('.signoff') })
    return await embeddedRedis({ ...options, ...(binary && { binary }) })
  }
  const hold = await holdDataDir(dataDir)
  if (hold.ok) await hold.publish({ pid: process.pid, url: 'https://localhost:8443' })
  return { pid: process.pid, ...hold }
}

process.stdout.write(JSON.stringify(await take()))
setInterval(() => undefined, 60_000)
