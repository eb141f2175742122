// The admin server: metrics over plain HTTP.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Metrics } from '../../ops/metrics.ts'
import { takePort } from './take-port.ts'

export interface AdminListening {
  port: number
  close(): Promise<void>
}

/** Rejects when the port is taken, or the address is not one of this machine. */
export async function listenAdmin(
  { host, port }: { host: string; port: number },
  metrics: Metrics,
): Promise<AdminListening> {
  const server = createServer((request, response) => {
    if (request.url?.split('?', 1)[0] !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    void metrics.render().then(
      ({ contentType, text }) => response.writeHead(200, { 'Content-Type': contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  await takePort(server, { host, port, setting: 'ADMIN_PORT' })
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
