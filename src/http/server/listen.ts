// The public server: TLS, limits on slow and idle callers, certificates read again when they change, draining.
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type Koa from 'koa'
import { readTrustedFile } from '../../file-trust.ts'
import type { SystemLog } from '../../ops/log.ts'
import { watchFiles } from '../../ops/watch-files.ts'
import { takePort } from './take-port.ts'
import { limitConnections, type ConnectionLimits } from './limit-connections.ts'

export interface ListenOptions {
  app: Koa
  host: string
  /** `0` takes a free one. */
  port: number
  /** `null` speaks plain HTTP. */
  tls: { certFile: string; keyFile: string } | null
  limits: ConnectionLimits
  log: SystemLog
}

export interface Listening {
  port: number
  /** Takes no more connections, and resolves when those in flight are answered or `deadlineMs` has passed. */
  close(deadlineMs: number): Promise<void>
}

/** Nobody may hold a connection by being slow. */
const PATIENCE = {
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 2_000,
  // Longer than the usual 60 s of proxies in front, so that they, not we, close idle connections.
  keepAliveTimeout: 65_000,
}

/** Rejects when the port is taken, or the certificate cannot be used. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { app, host, port, tls, log } = options
  const callback = app.callback()
  // Koa answers its own errors: the promise never rejects.
  const handler: RequestListener = (request, response) => void callback(request, response)
  const server = tls
    ? createHttpsServer({ ...PATIENCE, ...readCertificate(tls), minVersion: 'TLSv1.2' }, handler)
    : createHttpServer(PATIENCE, handler)
  limitConnections(server, { ...options.limits, log })

  await takePort(server, { host, port, setting: 'PORT' })
  const stopWatching =
    tls && 'setSecureContext' in server ? watchCertificate(server, tls, log) : () => undefined

  return {
    port: (server.address() as AddressInfo).port,
    close: async (deadlineMs) => {
      stopWatching()
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
      })
      server.closeIdleConnections()
      const timer = setTimeout(() => {
        server.closeAllConnections()
      }, deadlineMs)
      await closed
      clearTimeout(timer)
    },
  }
}

function readCertificate({ certFile, keyFile }: { certFile: string; keyFile: string }): {
  cert: Buffer
  key: string
} {
  return { cert: readFileSync(certFile), key: readTrustedFile(keyFile) }
}

function watchCertificate(
  server: HttpsServer,
  tls: { certFile: string; keyFile: string },
  log: SystemLog,
): () => void {
  const reload = (): void => {
    try {
      server.setSecureContext({ ...readCertificate(tls), minVersion: 'TLSv1.2' })
      log.info('the TLS certificate was read again')
    } catch (error) {
      log.error({ err: error }, 'the new TLS certificate cannot be used; the one before stays in use')
    }
  }
  return watchFiles([tls.certFile, tls.keyFile], reload)
}
