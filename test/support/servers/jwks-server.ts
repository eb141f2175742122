// The JWKS of another login service, over HTTP on a free port: its keys rotate, and it can be slow, wrong or gone.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JWK } from 'jose'

export interface JwksServer {
  url: URL
  /** How often it was asked. */
  requests(): number
  /** Publishes these keys from now on, and no others. */
  publish(keys: JWK[]): void
  /** Answers this from now on. */
  answer(status: number, body: string, headers?: Record<string, string>): void
  /** Answers nothing from now on; with `headersFirst`, nothing after the headers. */
  hang(headersFirst?: boolean): void
  stop(): Promise<void>
}

type Respond = (response: ServerResponse) => void

export async function jwksServer(keys: JWK[]): Promise<JwksServer> {
  let requests = 0
  let respond: Respond = respondWith(200, JSON.stringify({ keys }))
  const server = createServer((_request, response) => {
    requests++
    respond(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    url: new URL(`http://127.0.0.1:${port}/jwks.json`),
    requests: () => requests,
    publish: (published) => {
      respond = respondWith(200, JSON.stringify({ keys: published }))
    },
    answer: (status, body, headers) => {
      respond = respondWith(status, body, headers)
    },
    hang: (headersFirst = false) => {
      respond = (response) => {
        if (headersFirst) response.writeHead(200).write('{"keys":')
      }
    },
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function respondWith(status: number, body: string, headers: Record<string, string> = {}): Respond {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
}
