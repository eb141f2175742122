// A peer with a replica of its own, fed by whichever instance takes it; and its WebSockets, which end with their sessions.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent, fetch } from 'undici'
import { WebSocket, WebSocketServer } from 'ws'
import {
  authenticateUpgrade,
  createVerifier,
  feed,
  TokenError,
  type ClientCredentials,
  type Fetch,
  type SessionEndReason,
  type Verifier,
} from '../../src/peer/index.ts'
import { INSTANCES, type InstanceName, type Operation } from './history.ts'
import type { TcpProxy } from '../support/servers/tcp-proxy.ts'

export interface FeedPeer {
  /** Resolves to 200 live, 401 denied, 503 cannot tell. */
  check: (token: string) => Promise<Operation['answer']>
  connect: (token: string) => Promise<PeerSocket>
  close: () => Promise<void>
}

/** What a client has of a WebSocket. */
export interface PeerSocket {
  /** `null` where it was opened; else the refusal. */
  refused: Operation['answer'] | null
  /** Resolves to why the peer ended it, in the words of `check`; 200 where the client did. */
  ended: Promise<number>
  end: () => void
}

/** As long as one may wait for the first heartbeat: the machine may be slow. */
const READY_TIMEOUT_MS = 60_000
const CLOSE_CODES: Record<SessionEndReason, number> = { token_denied: 4401, denylist_unknown: 4503 }
const ANSWERS: Record<number, number> = { 4401: 401, 4503: 503 }

export interface FeedPeerOptions {
  credentials: ClientCredentials
  /** To each instance. */
  ways: Record<InstanceName, TcpProxy>
  /** PEM. */
  certificate: string
  issuer: string
  leewaySeconds: number
}

/** Resolves when it knows keys and denylist. Rejects when it does not within ten seconds. */
export async function startFeedPeer(options: FeedPeerOptions): Promise<FeedPeer> {
  const verifier = createVerifier({
    issuer: options.issuer,
    audience: 'signoff',
    denylist: feed(options.credentials),
    leewaySeconds: options.leewaySeconds,
    fetch: fetchFromAny(options),
  })
  await verifier.ready(READY_TIMEOUT_MS)
  const server = await webSockets(verifier)

  return {
    check: async (token) => await verifier.verify(token).then(() => 200, answerOf),
    connect: async (token) => await connect(server.url, token),
    close: async () => {
      await verifier.close()
      server.close()
    },
  }
}

function answerOf(error: unknown): number {
  if (!(error instanceof TokenError)) throw error
  const { code } = error
  return code === 'denylist_unknown' || code === 'keys_unavailable' ? 503 : 401
}

/** One address for all instances: each request goes to the next of them. */
function fetchFromAny({ ways, certificate }: FeedPeerOptions): Fetch {
  const dispatcher = new Agent({
    connect: {
      ca: certificate,
      lookup: (_name, _options, done) => {
        done(null, [{ address: '127.0.0.1', family: 4 }])
      },
    },
  })
  let turn = 0
  return async (url, init) => {
    const name = INSTANCES[(turn += 1) % INSTANCES.length] ?? 'one'
    const { pathname } = new URL(url)
    const target = new URL(pathname, `https://localhost:${ways[name].port}`)
    const { status, headers, body } = await fetch(target, { ...init, dispatcher })
    return { status, headers, body: body as ReadableStream<Uint8Array> | null }
  }
}

async function webSockets(verifier: Verifier): Promise<{ url: string; close: () => void }> {
  const http = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  http.on('upgrade', (request, socket, head) => {
    void authenticateUpgrade(verifier, request).then(({ claims, refusal }) => {
      if (refusal !== null) {
        socket.end(refusal)
        return
      }
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        const stop = verifier.onSessionEnd(claims.sid, (reason) => {
          webSocket.close(CLOSE_CODES[reason])
        })
        webSocket.on('close', stop)
      })
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: () => {
      for (const client of sockets.clients) client.terminate()
      http.close()
    },
  }
}

async function connect(url: string, token: string): Promise<PeerSocket> {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } })
  socket.on('error', () => undefined)
  const ended = new Promise<number>((resolve) => {
    socket.on('close', (code) => {
      resolve(ANSWERS[code] ?? 200)
    })
  })
  const refused = await new Promise<PeerSocket['refused']>((resolve) => {
    socket.on('open', () => {
      resolve(null)
    })
    socket.on('unexpected-response', (_request, { statusCode }) => {
      socket.terminate()
      resolve(statusCode ?? 'no answer')
    })
    socket.on('close', () => {
      resolve('no answer')
    })
  })
  return {
    refused,
    ended,
    end: () => {
      socket.terminate()
    },
  }
}
