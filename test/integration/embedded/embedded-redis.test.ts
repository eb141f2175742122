// The embedded Redis, really started: what it acknowledged outlives stops, kills and the death of its parent.
import { expect } from 'chai'
import { once } from 'node:events'
import { appendFile, chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { isAlive } from '../../../src/embedded/process/process-state.ts'
import { findRedis, type RedisBinary } from '../../../src/embedded/redis/find-redis.ts'
import { redisCommand } from '../../../src/embedded/redis/command.ts'
import { embeddedRedis } from '../../../src/embedded/redis/embedded-redis.ts'
import type { EmbeddedServer } from '../../../src/embedded/server.ts'
import { eventually } from '../../support/service/environment.ts'
import { endHolders, failureOf, holderProcess, removeDir, scratchDir } from './scratch.ts'

describe('embeddedRedis', () => {
  const said: string[] = []
  let binary: RedisBinary
  let dataDir: string
  const running: EmbeddedServer[] = []

  const start = async (): Promise<EmbeddedServer> => {
    const server = await embeddedRedis({ dataDir, env: process.env, say: (line) => said.push(line), binary })
    if (!server) throw new Error('no Redis')
    running.push(server)
    return server
  }
  const stop = async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  }

  before(async function () {
    this.timeout(130_000)
    dataDir = await scratchDir()
    const found = await findRedis({
      dataDir: path.resolve('.signoff'),
      env: process.env,
      say: (line) => said.push(line),
    })
    if (!found) throw new Error(`These tests need a Redis. ${said.join(' ')}`)
    binary = found
  })
  beforeEach(() => {
    said.length = 0
  })
  afterEach(async () => {
    await stop()
    await endHolders()
  })
  after(async () => {
    await removeDir(dataDir)
  })

  it('runs none that others could have put into the data directory', async () => {
    const planted = await scratchDir()
    const programs = path.join(planted, 'redis', 'package', 'usr', 'bin')
    await mkdir(programs, { recursive: true, mode: 0o755 })
    await writeFile(path.join(programs, 'redis-server'), '#!/bin/sh\necho "Redis server v=7"\n', {
      mode: 0o755,
    })
    const env = { PATH: '/bin-without-redis' }
    const find = async () => await findRedis({ dataDir: planted, env, say: (line) => said.push(line) })
    expect(await find()).to.have.property('path')

    for (const place of ['redis', 'redis/package', 'redis/package/usr/bin/redis-server']) {
      await chmod(path.join(planted, place), 0o777)
      expect(await failureOf(find())).to.include(`chmod go-w '${path.join(planted, place)}'`)
      await chmod(path.join(planted, place), 0o755)
    }
    await removeDir(planted)
  })

  it('does not start where others could change its configuration', async () => {
    const open = await scratchDir()
    await mkdir(path.join(open, 'redis'))
    await chmod(path.join(open, 'redis'), 0o777)

    const starting = embeddedRedis({ dataDir: open, env: process.env, say: () => undefined, binary })

    expect(await failureOf(starting)).to.include(`chmod go-w '${path.join(open, 'redis')}'`)
    await removeDir(open)
  })

  it('writes everything to disk, evicts nothing and keeps its password to itself', async () => {
    const { url, pid } = await start()

    expect(await ask(url, 'CONFIG', 'GET', 'appendonly')).to.deep.equal(['appendonly', 'yes'])
    expect(await ask(url, 'CONFIG', 'GET', 'maxmemory-policy')).to.deep.equal([
      'maxmemory-policy',
      'noeviction',
    ])
    expect(await ask(url, 'CONFIG', 'GET', 'save')).to.deep.equal(['save', ''])
    const { port, password } = new URL(url)
    expect(await sayTo(Number(port), 'GET anything')).to.match(/^-NOAUTH/)
    const { mode } = await stat(path.join(dataDir, 'redis', 'redis.conf'))
    expect(mode & 0o777).to.equal(0o600)
    if (process.platform === 'linux') {
      expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).not.to.include(password)
    }
  })

  it('keeps its data over a restart', async () => {
    const first = await start()
    await ask(first.url, 'SET', 'restart', 'kept')
    await stop()

    const { url } = await start()

    expect(await ask(url, 'GET', 'restart')).to.equal('kept')
    expect(await isAlive(first.pid)).to.equal(false)
  })

  it('reports that it was killed, and has at the next start what was written by then', async () => {
    const killed = await start()
    const reason = new Promise<string>((resolve) => {
      killed.onExit(resolve)
    })
    await ask(killed.url, 'SET', 'killed', 'kept')
    await eventually(async () => (await readFile(await appendOnlyFile(dataDir), 'utf8')).includes('killed'))

    process.kill(killed.pid, 'SIGKILL')

    expect(await reason).to.include('SIGKILL')
    const { url } = await start()
    expect(await ask(url, 'GET', 'killed')).to.equal('kept')
  })

  it('starts from an append-only file whose last command is cut off', async () => {
    const { url } = await start()
    await ask(url, 'SET', 'whole', 'kept')
    await stop()
    await appendFile(await appendOnlyFile(dataDir), '*3\r\n$3\r\nSET\r\n$7\r\ncut')

    const restarted = await start()

    expect(await ask(restarted.url, 'GET', 'whole')).to.equal('kept')
  })

  it('replaces the one whose parent was killed, and keeps its data', async () => {
    const parent = await holderProcess('redis', dataDir)
    const orphan = parent.holds as { url: string; pid: number }
    await ask(orphan.url, 'SET', 'orphaned', 'kept')
    await parent.kill()
    expect(await isAlive(orphan.pid)).to.equal(true)

    const { url } = await start()

    expect(said).to.deep.equal([`Stopping the Redis an earlier run left behind (pid ${orphan.pid})`])
    expect(await isAlive(orphan.pid)).to.equal(false)
    expect(await ask(url, 'GET', 'orphaned')).to.equal('kept')
  })

  it('does not start beside one that is suspended on the same data, and leaves it alone', async function () {
    if (process.platform !== 'linux') this.skip()
    const suspended = await start()
    process.kill(suspended.pid, 'SIGSTOP')

    const failure = await failureOf(start())
    process.kill(suspended.pid, 'SIGCONT')

    expect(failure).to.include(`pid ${suspended.pid}`).and.include('does not answer')
    expect(await ask(suspended.url, 'PING')).to.equal('PONG')
  })

  it('is null, and says why in plain words, where there is no Redis', async () => {
    const none = await embeddedRedis({
      dataDir: path.join(dataDir, 'none'),
      env: { PATH: '' },
      say: (line) => said.push(line),
    })

    expect(none).to.equal(null)
    expect(said).to.have.length(1)
    expect(said[0]).to.include('There is no Redis here').and.include('set REDIS_URL')
  })
})

async function ask(url: string, ...command: string[]): Promise<unknown> {
  const { port, password } = new URL(url)
  return await redisCommand({ port: Number(port), password }, command)
}

/** What a client without a password is told. */
async function sayTo(port: number, line: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' }).end(`${line}\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return answer.toString()
}

/** The file Redis appends to now; in one directory with its predecessors since Redis 7, alone before. */
async function appendOnlyFile(dataDir: string): Promise<string> {
  const data = path.join(dataDir, 'redis', 'data')
  const files = (await readdir(data, { recursive: true })).filter((name) => name.endsWith('.aof'))
  const newest = files
    .filter((name) => !name.includes('.base.'))
    .sort()
    .at(-1)
  return path.join(data, newest ?? 'appendonly.aof')
}
