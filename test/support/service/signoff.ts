// The real process, as production runs it, over TLS on a free port; and a client that trusts its certificate.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Agent, request, type Dispatcher } from 'undici'
import { generateKeys } from '../../../src/commands/keys.ts'
import { developmentCertificate } from '../../../src/embedded/certificate.ts'
import { shiftedClock } from './shifted-clock.ts'

export interface Answer {
  status: number
  headers: Record<string, string>
  /** Of a stream of events, which has no end, only the first part. */
  text: string
  /** The parsed body; `undefined` where it is no JSON. */
  json: unknown
}

export interface CallOptions {
  method?: string
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is. */
  body?: string | Buffer | FormData | URLSearchParams
  headers?: Record<string, string>
  /** Gives the request up, and closes its connection. */
  signal?: AbortSignal
}

export interface Signoff {
  url: string
  adminUrl: string
  pid: number
  /** The system log so far, a parsed line each. */
  log: Record<string, unknown>[]
  files: KeyMaterial
  call(path: string, options?: CallOptions): Promise<Answer>
  /** POSTs JSON. */
  post(path: string, json: unknown): Promise<Answer>
  kill(signal: NodeJS.Signals): void
  /** Resolves to the exit status. */
  exited: Promise<number | null>
  /** SIGTERM, and resolves when it is gone and its files are removed. */
  stop(): Promise<void>
}

export interface KeyMaterial {
  directory: string
  certFile: string
  signingKeysFile: string
  refreshKeyFile: string
}

export interface SignoffOptions {
  databaseUrl: string
  redisUrl: string
  env?: Record<string, string>
  /** By how much its clock is ahead; below zero it is behind. */
  clockShiftMs?: number
  /** Arguments of node, before those of the program. */
  preload?: string[]
}

const PROGRAM = resolve('dist/main.js')
/** Not the checkout, where a developer may have a `.env`. */
const workingDirectory = tmpdir

/** Runs a command to its end. */
export async function runSignoff(
  args: string[],
  { env = {}, input = '' }: { env?: Record<string, string>; input?: string } = {},
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: workingDirectory(),
    env: { PATH: process.env['PATH'], ...env },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, ...output }
}

/** `signoff serve` with keys and a certificate of its own. Rejects with all that it said when it does not serve. */
export async function startSignoff(options: SignoffOptions): Promise<Signoff> {
  const { databaseUrl, redisUrl, env = {}, clockShiftMs = 0, preload = [] } = options
  const directory = await mkdtemp(join(tmpdir(), 'signoff-e2e-'))
  const { certFile, keyFile } = await developmentCertificate(directory)
  const files: KeyMaterial = {
    directory,
    certFile,
    signingKeysFile: join(directory, 'signing-keys.json'),
    refreshKeyFile: join(directory, 'refresh-key'),
  }
  const settings = {
    PORT: '0',
    ADMIN_PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    TLS_CERT_FILE: certFile,
    TLS_KEY_FILE: keyFile,
    SIGNING_KEYS_FILE: files.signingKeysFile,
    REFRESH_KEY_FILE: files.refreshKeyFile,
    ...env,
  }
  await generateKeys({
    signingKeysFile: settings.SIGNING_KEYS_FILE,
    refreshKeyFile: settings.REFRESH_KEY_FILE,
  })

  const clock = shiftedClock(clockShiftMs)
  const child = spawn(process.execPath, [...clock.preload, ...preload, PROGRAM, 'serve'], {
    cwd: workingDirectory(),
    env: { PATH: process.env['PATH'], ...clock.env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit').then(([status]) => status as number | null)
  const log: Record<string, unknown>[] = []
  const { port, adminPort } = await serving(child, log)
  const url = `https://localhost:${port}`
  const agent = new Agent({
    connect: {
      ca: await readFile(certFile),
      lookup: (_name, _options, done) => {
        done(null, [{ address: '127.0.0.1', family: 4 }])
      },
    },
    connections: 64,
  })
  const call = caller(url, agent)

  return {
    url,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    pid: child.pid ?? 0,
    log,
    files,
    call,
    post: async (path, json) => await call(path, { json }),
    kill: (signal) => {
      child.kill(signal)
    },
    exited,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
      await agent.destroy()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Speaks HTTP to `url`; nothing is thrown for a status, everything is bounded in time. */
export function caller(url: string, dispatcher: Dispatcher): Signoff['call'] {
  return async (path, { method = 'POST', json, body, headers = {}, signal } = {}) => {
    const isJson = json !== undefined
    const response = await request(`${url}${path}`, {
      method: method,
      headers: { ...(isJson && { 'Content-Type': 'application/json' }), ...headers },
      body: (isJson ? JSON.stringify(json) : (body as string | undefined)) ?? null,
      dispatcher,
      headersTimeout: 50_000,
      bodyTimeout: 50_000,
      ...(signal && { signal }),
    })
    const isEndless = String(response.headers['content-type']).startsWith('text/event-stream')
    const text = isEndless ? await firstPart(response.body) : await response.body.text()
    return {
      status: response.statusCode,
      headers: Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
      ),
      text,
      json: parseJson(text),
    }
  }
}

async function firstPart(body: AsyncIterable<Buffer>): Promise<string> {
  for await (const part of body) return part.toString()
  return ''
}

async function serving(
  child: ChildProcess,
  log: Record<string, unknown>[],
): Promise<{ port: number; adminPort: number }> {
  if (!child.stdout || !child.stderr) throw new Error('no standard output')
  const lines = createInterface({ input: child.stdout })
  let complaints = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString()
    process.stderr.write(chunk)
  })
  return await new Promise((resolve, reject) => {
    child.once('close', (status) => {
      reject(new Error(`signoff serve ended with ${String(status)}: ${JSON.stringify(log)}\n${complaints}`))
    })
    lines.on('line', (line) => {
      const entry = parseJson(line) as Record<string, unknown> | undefined
      log.push(entry ?? { msg: line })
      if (entry?.['msg'] === 'serving') resolve(entry as unknown as { port: number; adminPort: number })
    })
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
