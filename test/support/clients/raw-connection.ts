// One TLS connection, written to byte by byte: for tests whose subject is the connection itself.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'

export interface RawAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  text: string
}

export interface RawConnection {
  write(bytes: string | Buffer): void
  /** Resolves to the next answer; `closed` when the service ends the connection before there is one. */
  answer(): Promise<RawAnswer | 'closed'>
  /** Resolves to whether the service ends the connection within `timeoutMs`. */
  ends(timeoutMs: number): Promise<boolean>
  destroy(): void
}

export interface RawConnectionTarget {
  url: string
  files: { certFile: string }
}

/** Resolves when the handshake is done. Rejects where there is none. */
export async function rawConnection(
  target: RawConnectionTarget,
  localAddress = '127.0.0.1',
): Promise<RawConnection> {
  const port = Number(new URL(target.url).port)
  const ca = await readFile(target.files.certFile)
  // `tls.connect` hands on what `net.connect` takes, though its type does not say so.
  const options = { host: '127.0.0.1', port, ca, servername: 'localhost', localAddress }
  const socket = connect(options)
  let received = Buffer.alloc(0)
  let isEnded = false
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
  })
  // A reset is an end, too; whether the answer came before it is what tests look at.
  socket.on('error', () => undefined)
  for (const event of ['end', 'close']) {
    socket.once(event, () => {
      isEnded = true
    })
  }
  await once(socket, 'secureConnect')

  return {
    write: (bytes) => {
      socket.write(bytes)
    },
    answer: async () => {
      for (;;) {
        const found = firstAnswer(received)
        if (found) {
          received = received.subarray(found.length)
          // Not the answer yet, but the leave to send the body.
          if (found.answer.status !== 100) return found.answer
        } else if (isEnded) return 'closed'
        else await sleep(5)
      }
    },
    ends: async (timeoutMs) => {
      const deadline = performance.now() + timeoutMs
      while (!isEnded && performance.now() < deadline) await sleep(5)
      return isEnded
    },
    destroy: () => {
      socket.destroy()
    },
  }
}

/** `null` when it is not whole yet. */
function firstAnswer(bytes: Buffer): { answer: RawAnswer; length: number } | null {
  const headLength = bytes.indexOf('\r\n\r\n')
  if (headLength < 0) return null
  const [statusLine = '', ...lines] = bytes.subarray(0, headLength).toString('latin1').split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  const length = headLength + 4 + Number(headers['content-length'] ?? 0)
  if (bytes.length < length) return null
  const text = bytes.subarray(headLength + 4, length).toString()
  return { answer: { status: Number(statusLine.split(' ')[1]), headers, text }, length }
}
