// Redis processes of the tests' own, on free ports: to be asked, killed, hung and started again.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from '../../src/embedded/process/free-port.ts'
import { findRedis, type RedisBinary } from '../../src/embedded/redis/find-redis.ts'

export interface TestRedis {
  url: string
  /** A connection from outside the service. */
  client: Redis
  /** `SIGKILL`, `SIGSTOP`, `SIGCONT` … to the process itself. */
  signal(signal: NodeJS.Signals): Promise<void>
  /** On the same port and data, after it was killed. */
  start(): Promise<void>
  remove(): Promise<void>
}

let binary: Promise<RedisBinary> | undefined

/** Keeps what it holds on disk, as `signoff start` would have it. */
export async function testRedis(): Promise<TestRedis> {
  binary ??= obtainRedis()
  const { path, env } = await binary
  const directory = await mkdtemp(join(tmpdir(), 'signoff-redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 20, commandTimeout: 2000 })
  client.on('error', () => undefined)
  let child = run()
  await answering(client)

  return {
    url,
    client,
    signal: async (signal) => {
      child.kill(signal)
      if (signal === 'SIGKILL') await once(child, 'exit')
    },
    start: async () => {
      child = run()
      await answering(client)
    },
    remove: async () => {
      client.disconnect()
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      await rm(directory, { recursive: true, force: true })
    },
  }

  function run(): ChildProcess {
    const args = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      directory,
      '--save',
      '',
      '--appendonly',
      'yes',
    ]
    return spawn(path, args, { env, stdio: 'ignore' })
  }
}

async function answering(client: Redis): Promise<void> {
  const deadline = Date.now() + 10_000
  while (Date.now() < deadline) {
    const answer = await client.ping().catch(() => null)
    if (answer === 'PONG') return
    await sleep(20)
  }
  throw new Error('the test Redis does not answer')
}

/** Where `npm start` keeps it, so that it is fetched once. */
async function obtainRedis(): Promise<RedisBinary> {
  const said: string[] = []
  const found = await findRedis({
    dataDir: resolve('.signoff'),
    env: process.env,
    say: (line) => said.push(line),
  })
  if (found) return found
  throw new Error(`The tests need a Redis: install redis-server or valkey-server.\n${said.join('\n')}`)
}
