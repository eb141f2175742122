// npm start: what a person sees on a machine with nothing but Node, and what survives what they do to it.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { Agent } from 'undici'
import type { RunningInfo } from '../../src/embedded/data-dir/hold-data-dir.ts'
import { eventually, statusAndBody, type Pair } from '../support/service/environment.ts'
import { caller, type Signoff } from '../support/service/signoff.ts'

describe('signoff start', () => {
  let dataDir: string
  const started: ChildProcess[] = []

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'signoff start '))
    // What an earlier start on this machine has fetched.
    await mkdir(join(dataDir, 'redis'), { mode: 0o700 })
    await cp(resolve('.signoff/redis/package'), join(dataDir, 'redis/package'), { recursive: true }).catch(
      () => undefined,
    )
  })
  afterEach(async () => {
    for (const child of started.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    await rm(dataDir, { recursive: true, force: true })
  })

  it('provides everything; the printed lines work as printed; Ctrl-C stops all of it', async () => {
    const run = await start()
    const script =
      run
        .output()
        .split('line by line:')[1]
        ?.replace(/-w ' [^']+'/g, "-w ' %{http_code}\\n'") ?? ''

    const answers = await shell(script)
    const { databaseUrl, redisUrl } = await running()
    run.child.kill('SIGINT')
    const [status] = (await once(run.child, 'exit')) as [number | null]

    const lines = answers.trim().split('\n')
    expect(lines.map((line) => line.slice(-3))).to.deep.equal(['200', '200', '200', '401', '401'])
    expect(lines[2]).to.equal('{"message":"Logged out successfully"} 200')
    expect(lines[3]).to.equal('{"detail":"Token is blacklisted","code":"token_not_valid"} 401')
    expect(lines[4]).to.equal('{"error":"Token is invalid or already blacklisted"} 401')
    expect(status).to.equal(0)
    for (const url of [databaseUrl, redisUrl]) expect(await accepts(url)).to.equal(false)
  })

  it('asks no browser to keep to HTTPS on localhost, where other projects live, but does on any other host', async () => {
    const onLocalhost = await start()
    const { headers: ofLocalhost } = await onLocalhost.call('/healthz', { method: 'GET' })
    onLocalhost.child.kill('SIGTERM')
    await once(onLocalhost.child, 'exit')
    const elsewhere = await start({ ISSUER: 'https://auth.example.com' })
    const { headers: ofHost } = await elsewhere.call('/healthz', { method: 'GET' })

    expect(ofLocalhost).to.not.have.property('strict-transport-security')
    expect(ofHost['strict-transport-security']).to.contain('max-age=31536000')
  })

  it('keeps users and sessions over a restart', async () => {
    const first = await start()
    const pair = await login(first.call)
    first.child.kill('SIGTERM')
    await once(first.child, 'exit')

    const second = await start()
    const refreshed = await second.call('/auth/token/refresh/', { json: { refresh: pair.refresh } })

    expect(refreshed.status).to.equal(200)
  })

  it('recovers by itself after kill -9, and what was logged out stays out', async () => {
    const first = await start()
    const pair = await login(first.call)
    await first.call('/auth/logout/', { json: { refresh_token: pair.refresh } })
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')

    const second = await start()
    const refreshed = await second.call('/auth/token/refresh/', { json: { refresh: pair.refresh } })

    expect(statusAndBody(refreshed).status).to.equal(401)
  })

  it('leaves nothing behind when Ctrl-C comes in the middle of starting', async () => {
    const { child, output } = run()
    await eventually(() => output().includes('Creating a Postgres cluster'))
    child.kill('SIGINT')
    const [status] = (await once(child, 'exit')) as [number | null]

    expect(status).to.equal(0)
    expect(output()).to.contain('Stopping').and.not.contain('Signoff is up')
    expect(await commandLines()).to.not.contain(dataDir)
  })

  it('does not wait for a slow download when Ctrl-C comes', async () => {
    const programs = join(dataDir, 'programs')
    await mkdir(programs)
    await writeFile(join(programs, 'apt-get'), '#!/bin/sh\nsleep 3600\n', { mode: 0o755 })
    await rm(join(dataDir, 'redis'), { recursive: true, force: true })

    const { child, output } = run({ PATH: `${programs}:${process.env['PATH'] ?? ''}` })
    await eventually(() => output().includes('Creating a Postgres cluster'))
    child.kill('SIGINT')
    const [status] = (await once(child, 'exit')) as [number | null]

    expect(status).to.equal(0)
    // The download would go on for an hour.
    expect(await commandLines()).to.not.contain(dataDir)
  })

  it('leaves a running one alone, and says so', async () => {
    const first = await start()

    const second = run()
    const [status] = (await once(second.child, 'exit')) as [number | null]

    expect(status).to.equal(1)
    expect(second.output()).to.contain(`running already at ${(await running()).url ?? '?'}`)
    expect((await first.call('/healthz', { method: 'GET' })).status).to.equal(200)
  })

  it('says which setting to change when its port is in use, and stops what it started', async () => {
    const first = await start()
    const { url } = await running()
    const otherDir = await mkdtemp(join(tmpdir(), 'signoff start '))
    await mkdir(join(otherDir, 'redis'), { mode: 0o700 })
    await cp(join(dataDir, 'redis/package'), join(otherDir, 'redis/package'), { recursive: true }).catch(
      () => undefined,
    )

    const second = run({ DATA_DIR: otherDir, PORT: new URL(url ?? '').port })
    const [status] = (await once(second.child, 'exit')) as [number | null]

    expect(status).to.equal(1)
    expect(second.output()).to.contain('is in use: set PORT to another one')
    expect((await first.call('/healthz', { method: 'GET' })).status).to.equal(200)
    await rm(otherDir, { recursive: true, force: true })
  })

  function run(env: Record<string, string> = {}): { child: ChildProcess; output: () => string } {
    const child = spawn(process.execPath, ['dist/main.js', 'start'], {
      env: {
        PATH: process.env['PATH'],
        HOST: '127.0.0.1',
        PORT: '0',
        ADMIN_PORT: '0',
        DATA_DIR: dataDir,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    started.push(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    return { child, output: () => output }
  }

  async function start(
    env: Record<string, string> = {},
  ): Promise<{ child: ChildProcess; output: () => string; call: Signoff['call'] }> {
    const { child, output } = run(env)
    await eventually(() => output().includes('Signoff is up') || child.exitCode !== null)
    if (child.exitCode !== null) throw new Error(output())
    const { url } = await running()
    const ca = await readFile(join(dataDir, 'tls/cert.pem'))
    return { child, output, call: caller(url ?? '', new Agent({ connect: { ca } })) }
  }

  async function running(): Promise<RunningInfo> {
    return JSON.parse(await readFile(join(dataDir, 'running.json'), 'utf8')) as RunningInfo
  }

  async function login(call: Signoff['call']): Promise<Pair> {
    const password = await readFile(join(dataDir, 'demo-password'), 'utf8')
    return (await call('/auth/login/', { json: { username: 'demo', password } })).json as Pair
  }
})

async function shell(script: string): Promise<string> {
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child, 'close')
  return output
}

/** Of every process of this machine. */
async function commandLines(): Promise<string> {
  const child = spawn('ps', ['-eo', 'args'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child, 'close')
  return output
}

async function accepts(url: string | undefined): Promise<boolean> {
  const { connect } = await import('node:net')
  const socket = connect(Number(new URL(url ?? '').port), '127.0.0.1')
  return await Promise.race([
    once(socket, 'connect').then(
      () => true,
      () => false,
    ),
    once(socket, 'error').then(
      () => false,
      () => false,
    ),
  ])
}
