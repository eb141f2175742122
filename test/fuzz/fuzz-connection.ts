// One TLS connection of the fuzzer: bytes in, answers out, in order.
import { once } from 'node:events'
import { connect } from 'node:tls'

export interface FuzzTarget {
  port: number
  /** PEM. */
  certificate: string
}

export interface FuzzAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  /** Since the request was written. */
  tookMs: number
}

export interface FuzzConnection {
  readonly isOpen: boolean
  write(bytes: Buffer): void
  /** Resolves to the next answer, to `closed`, or to `silent` when neither comes within `ms`. */
  answer(isHead: boolean, ms: number): Promise<FuzzAnswer | 'closed' | 'silent'>
  destroy(): void
}

export async function fuzzConnection({ port, certificate }: FuzzTarget): Promise<FuzzConnection> {
  const socket = connect({ host: '127.0.0.1', port, ca: certificate, servername: 'localhost' })
  let received = Buffer.alloc(0)
  let isOpen = true
  let writtenAt = performance.now()
  let wake = (): void => undefined
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  // A reset is an end, too.
  socket.on('error', () => undefined)
  for (const event of ['end', 'close']) {
    socket.once(event, () => {
      isOpen = false
      wake()
    })
  }
  await once(socket, 'secureConnect')

  return {
    get isOpen() {
      return isOpen
    },
    write: (bytes) => {
      writtenAt = performance.now()
      socket.write(bytes)
    },
    answer: async (isHead, ms) => {
      const deadline = performance.now() + ms
      for (;;) {
        const found = firstAnswer(received, isHead)
        if (found) {
          received = received.subarray(found.length)
          // Not the answer yet, but the leave to send the body.
          if (found.status === 100) continue
          const { status, headers } = found
          return { status, headers, tookMs: performance.now() - writtenAt }
        }
        if (!isOpen) return 'closed'
        const leftMs = deadline - performance.now()
        if (leftMs <= 0) return 'silent'
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, leftMs)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
    },
    destroy: () => {
      socket.destroy()
    },
  }
}

interface Found {
  status: number
  headers: Record<string, string>
  length: number
}

/** `null` when it is not whole yet. */
function firstAnswer(bytes: Buffer, isHead: boolean): Found | null {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const start = headEnd + 4
  const length = bodyEnd(bytes, start, { isHead, status, headers })
  return length === null ? null : { status, headers, length }
}

/** RFC 9112 section 6.3. */
function bodyEnd(
  bytes: Buffer,
  start: number,
  { isHead, status, headers }: { isHead: boolean; status: number; headers: Record<string, string> },
): number | null {
  if (isHead || status < 200 || status === 204 || status === 304) return start
  if (headers['transfer-encoding'] === 'chunked') {
    const last = bytes.indexOf('0\r\n\r\n', start)
    const isLast = last === start || bytes.subarray(last - 2, last).toString() === '\r\n'
    return last >= 0 && isLast ? last + 5 : null
  }
  const end = start + Number(headers['content-length'] ?? 0)
  return bytes.length < end ? null : end
}
