// Ends a connection that leads to a replica: behind a proxy or a virtual address it stays open when the master moves.
import type { Redis } from 'ioredis'

const INTERVAL_MS = 1000

/**
 * Asks once a second, and on every connection, so that those notice too that only read. Resolves nothing for a
 * user who may not run INFO: then the first write tells. Returns what stops it.
 */
export function leaveReplicas(client: Redis): () => void {
  const timer = setInterval(look, INTERVAL_MS).unref()
  client.on('ready', look)
  return () => {
    clearInterval(timer)
    client.off('ready', look)
  }

  function look(): void {
    if (client.status !== 'ready') return
    const { stream } = client
    client.info('replication').then(
      (replication) => {
        const isSame = client.status === 'ready' && client.stream === stream
        if (isSame && /^role:(slave|replica)/m.test(replication)) client.disconnect(true)
      },
      () => undefined,
    )
  }
}
