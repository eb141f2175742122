// A gateway as its example has it, in front of an app that tells what reached it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '../../../src/embedded/process/free-port.ts'
import { debianProgram, type Program } from '../../support/servers/debian-packages.ts'
import { eventually } from '../../support/service/environment.ts'
import { nginxProgram } from '../../support/servers/nginx.ts'
import type { OwnIssuer } from '../../support/service/own-issuer.ts'

export interface Gateway {
  url: string
  /** The headers of every request that reached the app, oldest first. */
  reached: IncomingHttpHeaders[]
  stop(): Promise<void>
}

export interface GatewayProgram {
  name: string
  program(): Promise<Program>
  /** What the example's README says to run. */
  command(program: Program): [string, string[]]
}

export const nginx: GatewayProgram = {
  name: 'nginx auth_request',
  program: nginxProgram,
  command: () => [process.execPath, ['examples/nginx/run.js']],
}

export const caddy: GatewayProgram = {
  name: 'Caddy forward_auth',
  program: async () =>
    await debianProgram({ folder: 'caddy', packages: ['caddy'], file: 'usr/bin/caddy', names: ['caddy'] }),
  command: ({ executablePath }) => [
    executablePath,
    ['run', '--config', 'examples/caddy/Caddyfile', '--adapter', 'caddyfile'],
  ],
}

/** Resolves when it answers. */
export async function startGateway(gateway: GatewayProgram, service: OwnIssuer): Promise<Gateway> {
  const program = await gateway.program()
  const app = await recordingApp()
  const port = await freePort()
  const home = await mkdtemp(path.join(tmpdir(), 'signoff-gateway-'))
  const folder = path.dirname(program.executablePath)
  const child = spawn(...gateway.command(program), {
    env: {
      ...program.env,
      PATH: [folder, program.env['PATH']].join(path.delimiter),
      // Where Caddy keeps what it remembers.
      XDG_CONFIG_HOME: home,
      XDG_DATA_HOME: home,
      PORT: String(port),
      APP: app.address,
      SIGNOFF_URL: service.issuer,
      SSL_CERT_FILE: service.certFile,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaints = ''
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  const exited = once(child, 'exit')

  const url = `http://127.0.0.1:${port}`
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`${gateway.name} ended: ${complaints}`)
    return await fetch(url).then(
      () => true,
      () => false,
    )
  })
  return {
    url,
    reached: app.reached,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
      await app.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}

async function recordingApp(): Promise<Pick<Gateway, 'reached' | 'stop'> & { address: string }> {
  const reached: IncomingHttpHeaders[] = []
  const server = createServer((request, response) => {
    reached.push(request.headers)
    request.resume().on('end', () => response.end('welcome'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    reached,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
