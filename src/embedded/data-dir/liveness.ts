// Proves that a process lives: it answers on a port with the hash of a secret only it and its lock file hold.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Server } from 'node:net'

const PROBE_TIMEOUT_MS = 1000
const ANSWER_LENGTH = 64

/** A lock file says this of its holder's proof. */
export interface LifeSign {
  port: number
  nonce: string
}

/** Gives the proof for as long as this process lives, without keeping it alive. */
export interface LifeBeacon extends LifeSign {
  close(): void
}

export async function lifeBeacon(): Promise<LifeBeacon> {
  const nonce = randomBytes(32).toString('hex')
  const server = createServer((socket) => {
    socket.unref()
    socket.on('error', () => undefined)
    socket.setTimeout(PROBE_TIMEOUT_MS, () => socket.destroy())
    socket.end(sha256(nonce))
  })
  server.unref()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: portOf(server), nonce, close: () => void server.close() }
}

/**
 * `alive` on proof; `dead` when nobody listens there or a stranger answers; `silent` when neither could be shown
 * within a second, as with a holder that is suspended.
 */
export async function probeLife({ port, nonce }: LifeSign): Promise<'alive' | 'dead' | 'silent'> {
  const socket = connect({ port, host: '127.0.0.1' })
  let answer = ''
  return await new Promise((resolve) => {
    const settle = (verdict: 'alive' | 'dead' | 'silent') => {
      clearTimeout(timer)
      socket.destroy()
      resolve(verdict)
    }
    const judge = () => {
      settle(answer === sha256(nonce) ? 'alive' : 'dead')
    }
    const timer = setTimeout(() => {
      settle('silent')
    }, PROBE_TIMEOUT_MS)
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString()
      if (answer.length > ANSWER_LENGTH) judge()
    })
    socket.once('end', judge)
    // Only a refusal says that nobody is there; any other failure may be this process's own.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      settle(code === 'ECONNREFUSED' ? 'dead' : 'silent')
    })
  })
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
