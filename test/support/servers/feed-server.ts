// One instance's feed over HTTP on a free port, as the peers' contract has it, that can be told to misbehave.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { FeedDenial } from '../../../src/contract/feed.ts'

export interface FeedServer {
  url: string
  /** What each request came with, oldest first. */
  requests: { at: number; authorization: string | undefined; lastEventId: string | undefined }[]
  /** Sends it to all who listen, and to whoever comes later. */
  deny(id: string, until?: number): void
  /** Sends this text to all who listen. */
  send(text: string): void
  /** Breaks all connections, and answers with this status until `serve`; 0 breaks new connections too. */
  refuse(status: number, headers?: Record<string, string>): void
  /** Ends all connections cleanly. */
  end(): void
  /** No heartbeat from now on, until `serve`. */
  hush(): void
  /** Says nothing at all to whoever comes, until `serve`. */
  hang(): void
  /** All is well again. */
  serve(): void
  stop(): Promise<void>
}

export interface FeedServerOptions {
  leaseSeconds?: number
  coversSeconds?: number
}

type Conduct = 'serves' | 'hushes' | 'hangs' | { status: number; headers: Record<string, string> }

const BEAT_MS = 50

export async function feedServer(options: FeedServerOptions = {}): Promise<FeedServer> {
  const { leaseSeconds = 1, coversSeconds = 305 } = options
  const listeners = new Set<ServerResponse>()
  const sockets = new Set<Socket>()
  const requests: FeedServer['requests'] = []
  const denials: FeedDenial[] = []
  let conduct: Conduct = 'serves'

  const server = createServer((request, response) => {
    requests.push({
      at: performance.now(),
      authorization: request.headers.authorization,
      lastEventId: request.headers['last-event-id'] as string | undefined,
    })
    if (conduct === 'hangs') return
    if (typeof conduct === 'object') {
      if (conduct.status === 0) request.socket.resetAndDestroy()
      else response.writeHead(conduct.status, conduct.headers).end()
      return
    }
    open(request, response)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const beating = setInterval(beat, BEAT_MS)

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    deny(id, until = Math.floor(Date.now() / 1000) + coversSeconds) {
      denials.push({ id, until })
      send(event('deny', { id, until }))
    },
    send,
    refuse(status, headers = {}) {
      conduct = { status, headers }
      for (const socket of sockets) socket.resetAndDestroy()
    },
    end() {
      for (const response of listeners) response.end()
    },
    hush() {
      conduct = 'hushes'
    },
    hang() {
      conduct = 'hangs'
      for (const socket of sockets) socket.resetAndDestroy()
    },
    serve() {
      conduct = 'serves'
    },
    async stop() {
      clearInterval(beating)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }

  function open(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(event('open', { now: performance.now(), lease: leaseSeconds, covers: coversSeconds }))
    const fresh = denials.slice(Number(request.headers['last-event-id'] ?? 0))
    if (fresh.length > 0) response.write(event('snapshot', fresh))
    listeners.add(response)
    response.on('close', () => listeners.delete(response))
    beat()
  }

  function beat(): void {
    if (conduct === 'serves') send(`id: ${denials.length}\n${event('sync', { as_of: performance.now() })}`)
  }

  function send(text: string): void {
    for (const response of listeners) response.write(text)
  }
}

function event(type: string, data: unknown): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}
