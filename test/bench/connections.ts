// Kept-alive TLS connections, each with one request under way at a time.
import { Client } from 'undici'
import { fromAnywhere } from './address.ts'
import type { Target } from './generator-protocol.ts'

export interface Connection {
  /** Resolves to the status, `0` where the connection broke; never rejects. */
  post(path: string, body: string, headers?: Record<string, string>): Promise<number>
  close(): void
}

/** Resolves when every one of them has been answered once. */
export async function openConnections(target: Target): Promise<Connection[]> {
  return await Promise.all(Array.from({ length: target.connections }, (_, index) => open(target, index)))
}

export function closeConnections(connections: readonly Connection[]): void {
  for (const connection of connections) connection.close()
}

async function open({ origin, certificate, addresses }: Target, index: number): Promise<Connection> {
  const headersOf =
    addresses === undefined ? fromAnywhere : () => ({ 'X-Forwarded-For': `192.0.2.${index % addresses}` })
  const client = new Client(origin, { connect: { ca: certificate }, keepAliveTimeout: 60_000 })
  const { statusCode, body } = await client.request({ method: 'GET', path: '/healthz' })
  await body.dump()
  if (statusCode !== 200) throw new Error(`/healthz answered ${statusCode}`)
  return {
    post: async (path, body, headers) =>
      await post(client, { path, body, headers: { ...headersOf(), ...headers } }),
    close: () => {
      void client.destroy()
    },
  }
}

const HEADERS = { 'Content-Type': 'application/json', 'User-Agent': 'signoff-bench' }

// Below `request`, whose streams would cost the client more than the answer costs the server.
async function post(
  client: Client,
  { path, body, headers }: { path: string; body: string; headers: Record<string, string> },
): Promise<number> {
  return await new Promise((resolve) => {
    let status = 0
    client.dispatch(
      { method: 'POST', path, headers: { ...HEADERS, ...headers }, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, statusCode) => {
          status = statusCode
        },
        onResponseData: () => undefined,
        onResponseEnd: () => {
          resolve(status)
        },
        onResponseError: () => {
          resolve(0)
        },
      },
    )
  })
}
