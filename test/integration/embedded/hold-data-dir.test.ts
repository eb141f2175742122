// The hold on a data directory: one process at a time, and none once that one is dead.
import { expect } from 'chai'
import { connect, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { holdDataDir, readRunning, type DataDirHold } from '../../../src/embedded/data-dir/hold-data-dir.ts'
import { endHolders, failureOf, holderProcess, removeDir, scratchDir } from './scratch.ts'

const TAKERS = 10

describe('holdDataDir', () => {
  const holds: DataDirHold[] = []
  let dataDir: string

  const take = async () => {
    const hold = await holdDataDir(dataDir)
    holds.push(hold)
    return hold
  }

  beforeEach(async () => {
    dataDir = path.join(await scratchDir(), 'data')
  })
  afterEach(async () => {
    for (const hold of holds.splice(0)) if (hold.ok) await hold.release()
    await endHolders()
    await removeDir(path.dirname(dataDir))
  })

  it('creates the directory for its owner alone, and a file that only the owner may read', async () => {
    await take()

    expect((await stat(dataDir)).mode & 0o777).to.equal(0o700)
    expect((await stat(path.join(dataDir, 'running.json'))).mode & 0o777).to.equal(0o600)
    expect(await readdir(dataDir)).to.deep.equal(['running.json'])
  })

  it('refuses a directory that others can write, to take it and to read what runs there', async () => {
    await mkdir(dataDir)
    for (const mode of [0o770, 0o707, 0o1777]) {
      await chmod(dataDir, mode)

      expect(await failureOf(holdDataDir(dataDir))).to.include(`chmod go-w '${dataDir}'`)
      expect(await failureOf(readRunning(dataDir))).to.include(`chmod go-w '${dataDir}'`)
    }
    await chmod(dataDir, 0o755)
    expect((await take()).ok).to.equal(true)
  })

  it('refuses a second taker and tells it what the first one runs', async () => {
    const holder = await holderProcess('lock', dataDir)

    const second = await take()

    const running = { pid: holder.holds['pid'], url: 'https://localhost:8443' }
    expect(second).to.deep.equal({ ok: false, running })
    expect(await readRunning(dataDir)).to.deep.equal(running)
  })

  it('is free at once when its holder is killed', async () => {
    const holder = await holderProcess('lock', dataDir)
    await holder.kill()

    expect(await readRunning(dataDir)).to.equal(null)
    expect((await take()).ok).to.equal(true)
    expect(await readdir(dataDir)).to.deep.equal(['running.json'])
  })

  it('is still held while its holder is suspended', async function () {
    const holder = await holderProcess('lock', dataDir)
    const pid = Number(holder.holds['pid'])
    process.kill(pid, 'SIGSTOP')

    const second = await take()

    expect(second.ok).to.equal(false)
  })

  it('is free after its release', async () => {
    const first = await take()
    if (first.ok) await first.release()

    expect(await readRunning(dataDir)).to.equal(null)
    expect((await take()).ok).to.equal(true)
  })

  it('goes to exactly one of many takers at once', async () => {
    const all = await Promise.all(Array.from({ length: TAKERS }, take))

    expect(all.filter(({ ok }) => ok)).to.have.length(1)
  })

  it('goes to exactly one of many takers at once when the last holder was killed', async () => {
    for (let round = 0; round < 20; round++) {
      await leaveStale(dataDir)

      const all = await Promise.all(Array.from({ length: TAKERS }, take))

      const winners = all.filter((hold) => hold.ok)
      expect(winners).to.have.length(1)
      await winners[0]?.release()
    }
    expect(await readdir(dataDir)).to.deep.equal([])
  })

  it('goes to exactly one of many processes at once when the last holder was killed', async () => {
    await leaveStale(dataDir)

    const all = await Promise.all(Array.from({ length: 5 }, () => holderProcess('lock', dataDir)))

    const winners = all.filter(({ holds: { ok } }) => ok)
    expect(winners).to.have.length(1)
  })

  it('is taken over when the file is damaged', async () => {
    await takeAndRelease(dataDir)
    await writeFile(path.join(dataDir, 'running.json'), '{"pid":')

    expect((await take()).ok).to.equal(true)
  })

  it('is taken over when a stranger listens on the port on record', async () => {
    const stranger = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1')
    await once(stranger, 'listening')
    await leaveStale(dataDir, (stranger.address() as AddressInfo).port)

    const { ok } = await take()

    stranger.close()
    expect(ok).to.equal(true)
  })

  it('never puts its secret on the wire', async () => {
    await take()
    const content = await readFile(path.join(dataDir, 'running.json'), 'utf8')
    const { nonce, port } = JSON.parse(content) as { nonce: string; port: number }

    const [answer] = (await once(connect({ port, host: '127.0.0.1' }), 'data')) as [Buffer]

    expect(answer.toString()).to.have.length(64).and.not.include(nonce)
  })
})

async function takeAndRelease(dataDir: string): Promise<void> {
  const hold = await holdDataDir(dataDir)
  if (hold.ok) await hold.release()
}

/** What a holder leaves that had no time to clear up. */
async function leaveStale(dataDir: string, port = 1): Promise<void> {
  await takeAndRelease(dataDir)
  const content = { pid: process.pid, port, nonce: String(Math.random()) }
  await writeFile(path.join(dataDir, 'running.json'), JSON.stringify(content))
}
