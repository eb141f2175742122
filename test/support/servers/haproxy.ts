// HAProxy of Debian's packages before two Redis servers, which leads to one of them, as a virtual address would.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../../src/embedded/process/free-port.ts'
import { debianProgram } from './debian-packages.ts'

export interface TestHaproxy {
  port: number
  /** Leads new connections there; those that stand stay where they are. */
  leadTo(server: 'one' | 'other'): Promise<void>
  stop(): Promise<void>
}

/** Leads to `one` at first. */
export async function testHaproxy(ports: { one: number; other: number }): Promise<TestHaproxy> {
  const program = await debianProgram({
    folder: 'haproxy',
    packages: ['haproxy'],
    file: 'usr/sbin/haproxy',
    names: ['haproxy'],
  })
  const directory = await mkdtemp(join(tmpdir(), 'signoff-haproxy-'))
  const port = await freePort()
  const socket = join(directory, 'admin.sock')
  const file = join(directory, 'haproxy.cfg')
  await writeFile(file, configuration({ port, socket, ...ports }))
  const child = spawn(program.executablePath, ['-db', '-f', file], { env: program.env, stdio: 'ignore' })
  const exited = once(child, 'exit')

  const tell = async (command: string): Promise<string> => {
    const admin = connect(socket)
    admin.end(`${command}\n`)
    let said = ''
    for await (const part of admin) said += String(part)
    return said
  }
  await answering(tell)

  return {
    port,
    leadTo: async (server) => {
      const rest = server === 'one' ? 'other' : 'one'
      await tell(`set server redis/${server} state ready`)
      await tell(`set server redis/${rest} state maint`)
    },
    stop: async () => {
      child.kill('SIGKILL')
      await exited
      await rm(directory, { recursive: true, force: true })
    },
  }
}

interface Places {
  port: number
  socket: string
  one: number
  other: number
}

function configuration({ port, socket, one, other }: Places): string {
  return `global
  stats socket ${socket} level admin
defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
listen redis
  bind 127.0.0.1:${port}
  server one 127.0.0.1:${one}
  server other 127.0.0.1:${other} disabled
`
}

async function answering(tell: (command: string) => Promise<string>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await tell('show info').catch(() => '')).includes('Name: HAProxy')) {
    if (Date.now() > deadline) throw new Error('HAProxy does not answer')
    await sleep(50)
  }
}
