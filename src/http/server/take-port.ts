// Takes a port, or says which setting to change.
import type { Server } from 'node:net'

export interface Address {
  host: string
  /** `0` takes a free one. */
  port: number
  /** The setting that names the port; `HOST` in place of `PORT`, the one that names the host. */
  setting: 'PORT' | 'ADMIN_PORT'
}

/** Resolves when the server listens. Rejects with an error for a person when the port cannot be had. */
export async function takePort(server: Server, { host, port, setting }: Address): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(reasonOf(error, { host, port, setting }), { cause: error }))
    })
    // Without a host, Node takes `::` where there is IPv6, and `0.0.0.0` where there is none.
    server.listen(host === '::' ? { port } : { host, port }, resolve)
  })
}

/** The system answers with these where a name stands for no address, or the address is another machine's. */
const NOT_OURS = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL'])

function reasonOf({ code = '', message }: NodeJS.ErrnoException, { host, port, setting }: Address): string {
  if (NOT_OURS.has(code)) {
    return `${host} is no address of this machine (${code}): set ${setting.replace('PORT', 'HOST')} to one`
  }
  const reason = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${message})`
  return `port ${port} ${reason}: set ${setting} to another one`
}
