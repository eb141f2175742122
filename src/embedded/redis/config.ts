// The configuration the embedded Redis runs with: file, directory and password are its own.
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { readIfPresent } from '../files/read-if-present.ts'
import { writePrivateFile } from '../files/private-file.ts'

/** Where the parts of an embedded Redis lie. */
export interface RedisPlaces {
  home: string
  data: string
  configFile: string
  pidFile: string
  logFile: string
}

/** How to reach a Redis of ours. */
export interface RedisAccess {
  port: number
  password: string
}

export function redisPlaces(dataDir: string): RedisPlaces {
  const home = path.resolve(dataDir, 'redis')
  return {
    home,
    data: path.join(home, 'data'),
    configFile: path.join(home, 'redis.conf'),
    pidFile: path.join(home, 'redis.pid'),
    logFile: path.join(home, 'server.log'),
  }
}

/** Writes the configuration for one start, with a password that holds for no other. */
export async function writeRedisConfig(places: RedisPlaces, port: number): Promise<RedisAccess> {
  const password = randomBytes(24).toString('hex')
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(places.data)}`,
    `pidfile ${JSON.stringify(places.pidFile)}`,
    // Standard output, which goes to the log file together with what Redis says before it has a log.
    'logfile ""',
    'daemonize no',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    // A denylist entry that is evicted is a logout undone.
    'maxmemory-policy noeviction',
  ]
  await writePrivateFile(places.configFile, `${lines.join('\n')}\n`)
  return { port, password }
}

/** How to reach the Redis of the last start, null when there was none. */
export async function readRedisAccess(places: RedisPlaces): Promise<RedisAccess | null> {
  const text = (await readIfPresent(places.configFile)) ?? ''
  const port = /^port (\d+)$/m.exec(text)?.[1]
  const password = /^requirepass (\S+)$/m.exec(text)?.[1]
  return port !== undefined && password !== undefined ? { port: Number(port), password } : null
}

export function redisUrl({ port, password }: RedisAccess): string {
  return `redis://default:${password}@127.0.0.1:${port}`
}
