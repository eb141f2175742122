// The embedded Postgres, really started: its data outlives stops, kills and the death of its parent.
import { expect } from 'chai'
import { chmod, mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { embeddedPostgres } from '../../../src/embedded/postgres/embedded-postgres.ts'
import { postgresQuery } from '../../../src/embedded/postgres/query.ts'
import { isAlive } from '../../../src/embedded/process/process-state.ts'
import type { EmbeddedServer } from '../../../src/embedded/server.ts'
import { endHolders, failureOf, holderProcess, removeDir, scratchDir } from './scratch.ts'

describe('embeddedPostgres', () => {
  const said: string[] = []
  let dataDir: string
  let running: EmbeddedServer | null = null

  const start = async (env = process.env) =>
    (running = await embeddedPostgres({ dataDir, env, say: (line) => said.push(line) }))
  const stop = async () => {
    await running?.stop()
    running = null
  }

  before(async () => {
    dataDir = await scratchDir()
  })
  afterEach(async () => {
    await stop()
    await endHolders()
    said.length = 0
  })
  after(async () => {
    await removeDir(dataDir)
  })

  it('creates a durable cluster with a database of ours on its first start', async () => {
    const { url } = await start()

    expect(said).to.deep.equal([`Creating a Postgres cluster in ${path.join(dataDir, 'postgres')}`])
    expect(await postgresQuery(url, 'SELECT current_database()')).to.equal('signoff')
    expect(await postgresQuery(url, 'SHOW server_encoding')).to.equal('UTF8')
    expect(await postgresQuery(url, 'SHOW fsync')).to.equal('on')
    expect(await postgresQuery(url, "SELECT lower('ÄÖÜ')")).to.equal('äöü')
    const { mode } = await stat(path.join(dataDir, 'postgres', 'password'))
    expect(mode & 0o777).to.equal(0o600)
  })

  it('lets nobody in without the password', async () => {
    const { url } = await start()
    const wrong = new URL(url)
    wrong.password = 'guess'

    const refusal = await failureOf(postgresQuery(wrong.href, 'SELECT 1'))

    expect(refusal).to.include('password authentication failed')
  })

  it('keeps its data over a restart and says nothing of it', async () => {
    const first = await start()
    await postgresQuery(first.url, "CREATE TABLE kept AS SELECT 'over a restart' AS word")
    await stop()

    const second = await start()

    expect(await postgresQuery(second.url, 'SELECT word FROM kept')).to.equal('over a restart')
    expect(await isAlive(first.pid)).to.equal(false)
    expect(said).to.deep.equal([])
  })

  it('stops as often as it is asked to, without calling that an unexpected end', async () => {
    const server = await start()
    const reasons: string[] = []
    server.onExit((reason) => reasons.push(reason))

    await Promise.all([server.stop(), server.stop()])
    await server.stop()

    expect(reasons).to.deep.equal([])
    expect(await isAlive(server.pid)).to.equal(false)
  })

  it('reports that it was killed, and recovers at the next start', async () => {
    const killed = await start()
    await postgresQuery(killed.url, "CREATE TABLE survives AS SELECT 'kill -9' AS word")
    const reason = new Promise<string>((resolve) => {
      killed.onExit(resolve)
    })

    process.kill(killed.pid, 'SIGKILL')

    expect(await reason).to.include('SIGKILL')
    const { url } = await start()
    expect(await postgresQuery(url, 'SELECT word FROM survives')).to.equal('kill -9')
  })

  it('replaces the one whose parent was killed, and keeps its data', async () => {
    const parent = await holderProcess('postgres', dataDir)
    const orphan = parent.holds as { url: string; pid: number }
    await postgresQuery(orphan.url, "CREATE TABLE orphaned AS SELECT 'still here' AS word")
    await parent.kill()
    expect(await isAlive(orphan.pid)).to.equal(true)

    const { url } = await start()

    expect(said).to.deep.equal([`Stopping the Postgres an earlier run left behind (pid ${orphan.pid})`])
    expect(await isAlive(orphan.pid)).to.equal(false)
    expect(await postgresQuery(url, 'SELECT word FROM orphaned')).to.equal('still here')
  })

  it('starts although the process id on record is now that of another process, which it leaves alone', async function () {
    if (process.platform !== 'linux') this.skip()
    const other = await holderProcess('lock', path.join(dataDir, 'other'))
    const pid = Number(other.holds['pid'])
    const pidFile = path.join(dataDir, 'postgres', 'data', 'postmaster.pid')
    await writeFile(pidFile, `${pid}\n${path.dirname(pidFile)}\n1\n1\n\n\n\n`)

    const { url } = await start()

    expect(await postgresQuery(url, 'SELECT 1')).to.equal(1)
    expect(await isAlive(pid)).to.equal(true)
  })

  it('says in the error what its log says when it does not start', async () => {
    const config = path.join(dataDir, 'postgres', 'data', 'postgresql.conf')
    const sound = await readFile(config, 'utf8')
    await writeFile(config, `${sound}\nno_such_setting = 1\n`)

    const failure = await failureOf(start())
    await writeFile(config, sound)

    expect(failure).to.include('did not start').and.include('no_such_setting')
  })

  it('is not misled by what a first start left that was killed halfway', async () => {
    const halfway = path.join(dataDir, 'halfway')
    const draft = path.join(halfway, 'postgres', 'data.new-killed', 'data')
    await mkdir(draft, { recursive: true })
    await writeFile(path.join(draft, 'PG_VERSION'), '18\n')

    const server = await embeddedPostgres({ dataDir: halfway, env: process.env, say: () => undefined })

    expect(await postgresQuery(server.url, 'SELECT 1')).to.equal(1)
    await server.stop()
    expect(await stat(path.dirname(draft)).catch(() => null)).to.equal(null)
  })

  describe('under root without user namespaces', () => {
    const env: NodeJS.ProcessEnv = {}

    before(async function () {
      if (process.getuid?.() !== 0) this.skip()
      const programs = path.join(dataDir, 'programs')
      await mkdir(programs)
      await symlink('/usr/bin/id', path.join(programs, 'id'))
      env['PATH'] = programs
    })

    it('names the folder that is closed to the user it would have to run as', async () => {
      await chmod(dataDir, 0o700)
      const inner = path.join(dataDir, 'inner')

      const failure = await failureOf(embeddedPostgres({ dataDir: inner, env, say: () => undefined }))

      // The programs may lie behind a closed folder too, and are then named first.
      expect(failure)
        .to.match(/because \S.* is closed to others/)
        .and.include('set DATABASE_URL')
    })

    it('runs as nobody on the data of an earlier start, and as root again after that', async function () {
      if (!(await reachableByOthers(os.tmpdir())) || !(await reachableByOthers(import.meta.dirname)))
        this.skip()
      await start()
      await stop()

      const { url, pid } = await start(env)
      await postgresQuery(url, 'CHECKPOINT')
      const { uid } = await stat(`/proc/${pid}`)
      await stop()
      const again = await start()

      expect(uid).not.to.equal(0)
      expect(await postgresQuery(again.url, 'SELECT 1')).to.equal(1)
    })
  })

  it('asks for its password back rather than lose the cluster', async () => {
    const password = path.join(dataDir, 'postgres', 'password')
    await rename(password, `${password}.aside`)

    const failure = await failureOf(start())
    await rename(`${password}.aside`, password)

    expect(failure).to.include('put').and.include('back')
  })
})

async function reachableByOthers(place: string): Promise<boolean> {
  const { mode } = await stat(place)
  const parent = path.dirname(place)
  return (mode & 0o001) !== 0 && (parent === place || (await reachableByOthers(parent)))
}
