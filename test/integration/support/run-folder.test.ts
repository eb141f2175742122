// A run that is stopped, in whatever way, leaves no process and no folder behind.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { eventually } from '../../support/service/environment.ts'
import { end, processesOf } from '../../support/servers/run-folder.ts'

/** A run with a server of its own, detached as those of the tests are. It says where, and goes on. */
const RUN = `
import { spawn } from 'node:child_process'
import { ownRunFolder } from '${join(import.meta.dirname, '../../support/servers/run-folder.ts')}'
ownRunFolder()
const folder = process.env.TMPDIR
spawn('sleep', ['3600'], { cwd: folder, detached: true, stdio: 'ignore' }).once('spawn', () => {
  console.log(JSON.stringify({ pid: process.pid, folder }))
})
setInterval(() => undefined, 1000)
`
const NODE = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', RUN]

interface Run {
  /** Of the run itself, which may not be the process that was started. */
  pid: number
  folder: string
}

describe('a run', () => {
  let started: ChildProcess
  let run: Run | null

  afterEach(() => {
    for (const pid of run ? [run.pid, ...processesOf(run.folder)] : []) end(pid)
    started.kill('SIGKILL')
  })

  async function begin([file = '', ...args]: string[]): Promise<Run> {
    run = null
    started = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, RUN } })
    if (!started.stdout) throw new Error('no standard output')
    const [line] = (await once(createInterface({ input: started.stdout }), 'line')) as [string]
    return (run = JSON.parse(line) as Run)
  }

  async function nothingIsLeft({ pid, folder }: Run): Promise<boolean> {
    await eventually(() => !isRunning(pid) && processesOf(folder).length === 0 && !existsSync(folder))
    return true
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    it(`leaves nothing behind after ${signal}`, async () => {
      const ours = await begin(NODE)
      expect(processesOf(ours.folder)).to.have.length(1)

      process.kill(ours.pid, signal)

      expect(await nothingIsLeft(ours)).to.equal(true)
    })
  }

  it('stops when the npm that runs it is killed, through the shell between them', async () => {
    const shell = `${process.execPath} --import tsx --input-type=module -e "$RUN"; :`
    const npm = `require('child_process').spawn('sh', ['-c', ${JSON.stringify(shell)}], { stdio: 'inherit' })`
    const ours = await begin([process.execPath, '--title=npm test', '-e', npm])

    started.kill('SIGKILL')

    expect(await nothingIsLeft(ours)).to.equal(true)
  })
})

/** One that has ended and that nobody has buried yet does not. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
