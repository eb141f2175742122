// One Redis process, and all that can happen to it and to its data.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from '../../src/embedded/process/free-port.ts'
import { findRedis } from '../../src/embedded/redis/find-redis.ts'
import type { RedisFault, RedisWorld } from './redis-world.ts'

const SILENT = { say: () => undefined }
/** Less than it holds already: writes fail and reads go on. */
const FULL_BYTES = 1

interface RedisServer {
  client: Redis
  /** On whatever lies in its directory. */
  start: () => Promise<void>
  kill: () => Promise<void>
  signal: (signal: 'SIGSTOP' | 'SIGCONT') => void
  /** Forgets all it has on disk. */
  wipe: () => Promise<void>
  /** Keeps what it has on disk, for `putBack`. */
  copy: () => Promise<void>
  putBack: () => Promise<void>
  remove: () => Promise<void>
}

export async function standaloneRedis(): Promise<RedisWorld> {
  const port = await freePort()
  const server = await redisServer(port)
  await server.start()
  return {
    kind: 'standalone',
    url: `redis://127.0.0.1:${port}`,
    port,
    mget: async (keys) => await server.client.mget(keys),
    faults: faultsOf(server),
    remove: server.remove,
  }
}

function faultsOf(server: RedisServer): RedisFault[] {
  const nothing = async (): Promise<void> => {
    await Promise.resolve()
  }
  const empty = async (): Promise<void> => {
    await server.client.flushall()
  }
  return [
    { name: 'Redis killed', begin: server.kill, end: server.start },
    {
      name: 'Redis hung',
      begin: async () => {
        server.signal('SIGSTOP')
        await nothing()
      },
      end: async () => {
        server.signal('SIGCONT')
        await nothing()
      },
    },
    {
      name: 'Redis emptied',
      begin: empty,
      // Again, when it has been filled.
      end: empty,
    },
    {
      name: 'Redis restarted empty',
      begin: async () => {
        await server.kill()
        await server.wipe()
        await server.start()
      },
      end: nothing,
    },
    {
      name: 'Redis restarted on old data',
      begin: async (random) => {
        await server.copy()
        await sleep(random.between(200, 4000))
        await server.kill()
        await server.putBack()
        await server.start()
      },
      end: nothing,
    },
    {
      name: 'Redis full',
      begin: async () => {
        await server.client.config('SET', 'maxmemory', FULL_BYTES)
      },
      end: async () => {
        await server.client.config('SET', 'maxmemory', 0)
      },
    },
  ]
}

async function redisServer(port: number): Promise<RedisServer> {
  const binary = await findRedis({ dataDir: resolve('.signoff'), env: process.env, ...SILENT })
  if (!binary) throw new Error('The fault suite needs a Redis: install redis-server or valkey-server.')
  const home = await mkdtemp(join(tmpdir(), 'signoff-fault-redis-'))
  const data = join(home, 'appendonlydir')
  const kept = join(home, 'kept')
  const client = peerClient(port)
  let child: ChildProcess | null = null

  const kill = async (): Promise<void> => {
    if (child?.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  return {
    client,
    kill,
    start: async () => {
      const settings = { port, bind: '127.0.0.1', dir: home, save: '', appendonly: 'yes' }
      const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
      child = spawn(binary.path, args, { env: binary.env, stdio: 'ignore', detached: true })
      await answering(client)
    },
    signal: (signal) => {
      child?.kill(signal)
    },
    wipe: async () => {
      await rm(data, { recursive: true, force: true })
    },
    copy: async () => {
      await rm(kept, { recursive: true, force: true })
      await cp(data, kept, { recursive: true })
    },
    putBack: async () => {
      await rm(data, { recursive: true, force: true })
      await cp(kept, data, { recursive: true })
    },
    remove: async () => {
      client.disconnect()
      await kill()
      await rm(home, { recursive: true, force: true })
    },
  }
}

function peerClient(port: number): Redis {
  const client = new Redis(port, '127.0.0.1', {
    commandTimeout: 1000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 50,
  })
  client.on('error', () => undefined)
  return client
}

async function answering(client: Redis): Promise<void> {
  const deadline = Date.now() + 60_000
  while (Date.now() < deadline) {
    const answer = await client.ping().catch(() => null)
    if (answer === 'PONG') return
    await sleep(20)
  }
  throw new Error('the Redis of the run does not answer')
}
