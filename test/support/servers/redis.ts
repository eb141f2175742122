// Redis processes of the tests' own, on free ports: to be asked, killed, hung and started again.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis, type RedisOptions } from 'ioredis'
import { developmentCertificate, type CertificateFiles } from '../../../src/embedded/certificate.ts'
import { freePort } from '../../../src/embedded/process/free-port.ts'
import { findRedis, type RedisBinary } from '../../../src/embedded/redis/find-redis.ts'

export interface TestRedis {
  url: string
  port: number
  /** A connection from outside the service. */
  client: Redis
  /** Of its certificate, where it speaks TLS: what clients have to trust. */
  certFile: string | null
  /** `SIGKILL`, `SIGSTOP`, `SIGCONT` … to the process itself. */
  signal(signal: NodeJS.Signals): Promise<void>
  /** On the same port and data, after it was killed. */
  start(): Promise<void>
  /** After it was killed: it begins with nothing when it is started again. */
  wipe(): Promise<void>
  remove(): Promise<void>
}

export interface TestRedisOptions {
  /** Speaks TLS alone, with a certificate of its own for localhost. */
  tls?: true
  port?: number
  /** Of the default user. */
  password?: string
  /** More arguments of redis-server. */
  settings?: string[]
  /** Makes it a sentinel, by this configuration file in its own directory. */
  sentinelFile?: (directory: string) => Promise<string>
}

let binary: Promise<RedisBinary> | undefined

/** Keeps what it holds on disk, as `signoff start` would have it. */
export async function testRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  binary ??= obtainRedis()
  const { path, env } = await binary
  const directory = await mkdtemp(join(tmpdir(), 'signoff-redis-'))
  const port = options.port ?? (await freePort())
  const certificate = options.tls ? await developmentCertificate(directory) : null
  const args = await serverArguments({ ...options, port }, directory, certificate)
  const client = outsideClient(port, options)
  const run = (): ChildProcess => spawn(path, args, { env, stdio: 'ignore' })
  let child = run()
  // Somebody may have taken the port since it was found free; most hold one for a moment.
  const again = (): void => {
    if (child.exitCode !== null) child = run()
  }
  await answering(client, again)

  return {
    url: `${certificate ? 'rediss' : 'redis'}://${credentials(options)}127.0.0.1:${port}`,
    port,
    client,
    certFile: certificate?.certFile ?? null,
    signal: async (signal) => {
      child.kill(signal)
      if (signal === 'SIGKILL') await once(child, 'exit')
    },
    start: async () => {
      child = run()
      await answering(client, again)
    },
    wipe: async () => {
      await rm(join(directory, 'appendonlydir'), { recursive: true, force: true })
    },
    remove: async () => {
      client.disconnect()
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      // A child that was writing a file for a replica may outlive it by a moment.
      await rm(directory, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 })
    },
  }
}

const DURABLE = ['--save', '', '--appendonly', 'yes']

async function serverArguments(
  { port, password, settings = [], sentinelFile }: TestRedisOptions,
  directory: string,
  certificate: CertificateFiles | null,
): Promise<string[]> {
  const listen = certificate
    ? ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no']
    : ['--port', String(port)]
  const tls = certificate
    ? ['--tls-cert-file', certificate.certFile, '--tls-key-file', certificate.keyFile]
    : []
  return [
    ...(sentinelFile ? [await sentinelFile(directory), '--sentinel'] : DURABLE),
    ...['--bind', '127.0.0.1', '--dir', directory],
    ...listen,
    ...tls,
    ...(password === undefined ? [] : ['--requirepass', password]),
    ...settings,
  ]
}

/** As they stand in a URL, with the `@`. */
export function credentials({ password }: { password?: string }): string {
  return password === undefined ? '' : `:${encodeURIComponent(password)}@`
}

function outsideClient(port: number, { tls, password }: TestRedisOptions): Redis {
  const options: RedisOptions = {
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    retryStrategy: () => 20,
    commandTimeout: 2000,
  }
  if (password !== undefined) options.password = password
  if (tls) options.tls = { rejectUnauthorized: false }
  const client = new Redis({ ...options, replyMapping: 'legacy' })
  client.on('error', () => undefined)
  return client
}

/** For a member of a cluster, which listens 10,000 above it too; below those the system gives to clients. */
export async function freeClusterPort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 12_000)
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

/** Until it answers, `again` is called now and then. */
async function answering(client: Redis, again: () => void): Promise<void> {
  const deadline = Date.now() + 50_000
  while (Date.now() < deadline) {
    const answer = await client.ping().catch(() => null)
    if (answer === 'PONG') return
    again()
    await sleep(50)
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
