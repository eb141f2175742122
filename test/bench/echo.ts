// Starts the echo that costs are compared with, and reads what it costs itself.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { KeyMaterial } from '../support/service/signoff.ts'

export interface Echo {
  origin: string
  /** Microseconds of CPU since it began. */
  cpu(): Promise<number>
  close(): Promise<void>
}

/** Over TLS with the certificate of the service. */
export async function openEcho({ certFile, directory }: KeyMaterial): Promise<Echo> {
  const program = new URL('./echo-process.ts', import.meta.url)
  const child = fork(program, [certFile, join(directory, 'key.pem')])
  const { port } = await told<{ port: number }>(child)
  return {
    origin: `https://localhost:${port}`,
    cpu: async () => {
      const answer = told<{ cpu: number }>(child)
      child.send('cpu')
      return (await answer).cpu
    },
    close: async () => {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

async function told<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message', { signal: AbortSignal.timeout(30_000) })) as [T]
  return message
}
