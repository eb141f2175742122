// HAProxy in front of the members: one address that leads to the primary, by Patroni's own word.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { freePort } from '../../../../src/embedded/process/free-port.ts'
import type { Program } from '../debian-packages.ts'
import { startServer } from './server.ts'

export interface Backend {
  name: string
  postgresPort: number
  restPort: number
}

export interface HaProxy {
  /** Leads to the primary; a connection that comes while there is none is closed. */
  port: number
  stop: () => Promise<void>
}

/** As Patroni's documents have it, with checks twice a second. Resolves once it runs. */
export async function startHaProxy(
  { executablePath, env }: Program,
  { directory, backends }: { directory: string; backends: readonly Backend[] },
): Promise<HaProxy> {
  const port = await freePort()
  const configFile = path.join(directory, 'haproxy.cfg')
  await writeFile(configFile, configuration(port, backends))
  const server = await startServer({
    name: 'HAProxy',
    command: { file: executablePath, args: ['-db', '-f', configFile] },
    env,
    logFile: path.join(directory, 'haproxy.log'),
  })
  return {
    port,
    stop: async () => {
      await server.stop()
    },
  }
}

function configuration(port: number, backends: readonly Backend[]): string {
  const servers = backends.map(
    ({ name, postgresPort, restPort }) =>
      `  server ${name} 127.0.0.1:${postgresPort} maxconn 200 check port ${restPort}`,
  )
  return `global
  maxconn 1000
defaults
  mode tcp
  retries 0
  timeout connect 1s
  timeout client 30m
  timeout server 30m
  timeout check 1s
listen primary
  bind 127.0.0.1:${port}
  option httpchk GET /primary
  http-check expect status 200
  default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}
`
}
