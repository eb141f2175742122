// The Peers port in memory.
import type { Peers } from '../../../src/auth/ports/peers.ts'
import { statement, type MemoryDatabase } from './memory-database.ts'

export function memoryPeers(database: MemoryDatabase): Peers {
  const isNamed = (name: string) => database.peers.some(({ clientId }) => clientId === name)
  return {
    list: async () =>
      await statement(database, () => [...database.peers].sort((a, b) => (a.clientId < b.clientId ? -1 : 1))),

    add: async ({ clientId, secretHash }) =>
      await statement(database, () => {
        if (isNamed(clientId)) return false
        database.peers.push({ clientId, secretHash, createdAt: new Date(database.clock.nowMs()) })
        return true
      }),

    remove: async (clientId) =>
      await statement(database, () => {
        const wasThere = isNamed(clientId)
        database.peers = database.peers.filter((peer) => peer.clientId !== clientId)
        return wasThere
      }),
  }
}
