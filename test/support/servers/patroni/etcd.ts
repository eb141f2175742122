// One etcd, in which the members of Patroni agree on who leads.
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { freePort } from '../../../../src/embedded/process/free-port.ts'
import type { Program } from '../debian-packages.ts'
import { answersOk, startServer, untilServing } from './server.ts'

export interface Etcd {
  port: number
  stop: () => Promise<void>
}

/** Resolves when it is healthy. `directory` is for its data and its log. */
export async function startEtcd({ executablePath, env }: Program, directory: string): Promise<Etcd> {
  const port = await freePort()
  const clients = `http://127.0.0.1:${port}`
  const peers = `http://127.0.0.1:${await freePort()}`
  const dataDir = path.join(directory, 'etcd')
  await mkdir(dataDir, { mode: 0o700 })
  const options = {
    'data-dir': dataDir,
    'listen-client-urls': clients,
    'advertise-client-urls': clients,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `default=${peers}`,
  }
  const start = {
    name: 'etcd',
    command: {
      file: executablePath,
      args: Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    },
    env,
    logFile: path.join(directory, 'etcd.log'),
  }
  const server = await startServer(start)
  try {
    await untilServing(start, { server, check: async () => await answersOk(`${clients}/health`) })
  } catch (error) {
    await server.stop()
    throw error
  }
  return {
    port,
    stop: async () => {
      await server.stop()
    },
  }
}
