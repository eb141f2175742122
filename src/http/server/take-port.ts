// Takes a port, or says which setting to change.
import type { Server } from 'node:net'

export interface Address {
  host: string
  /** `0` takes a free one. */
  port: number
  /** The setting that names the port. */
  setting: string
}

/** Resolves when the server listens. Rejects with an error for a person when the port cannot be had. */
export async function takePort(server: Server, { host, port, setting }: Address): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${error.message})`
      reject(new Error(`port ${port} ${reason}: set ${setting} to another one`, { cause: error }))
    })
    // Without a host, Node takes `::` where there is IPv6, and `0.0.0.0` where there is none.
    server.listen(host === '::' ? { port } : { host, port }, resolve)
  })
}
