// signoff peer add|list|remove
import { addPeer, removePeer } from '../auth/peers/manage-peers.ts'
import type { Peers } from '../auth/ports/peers.ts'
import type { Config } from '../config.ts'
import { peerSecrets } from '../passwords/peer-secrets.ts'
import { postgresPeers } from '../store/postgres/postgres-peers.ts'
import { postgres } from '../store/postgres/postgres.ts'
import { databaseUrlOf } from './database.ts'
import { print, type Output } from './output.ts'
import { stderrLog } from './stderr-log.ts'

export async function peerAdd(config: Config, name: string, output: Output): Promise<void> {
  await withPeers(config, async (peers) => {
    const { clientId, clientSecret } = await addPeer({ peers, peerSecrets }, name)
    const lines = [
      `added ${clientId}`,
      '',
      `  client_id      ${clientId}`,
      `  client_secret  ${clientSecret}`,
      '',
      'The secret is not shown again. Put both where the peer reads its secrets: docs/peers.md says how it uses them.',
    ]
    print(output, lines, { client_id: clientId, client_secret: clientSecret })
  })
}

export async function peerList(config: Config, output: Output): Promise<void> {
  await withPeers(config, async (peers) => {
    const all = await peers.list()
    const lines = all.map(({ clientId, createdAt }) => `${clientId}\tadded ${createdAt.toISOString()}`)
    const documents = all.map(({ clientId, createdAt }) => ({ client_id: clientId, created_at: createdAt }))
    print(output, lines.length > 0 ? lines : 'no peers', documents)
  })
}

export async function peerRemove(config: Config, name: string, output: Output): Promise<void> {
  await withPeers(config, async (peers) => {
    await removePeer({ peers }, name)
    print(output, `removed ${name}: a running service refuses it within ten seconds`, { client_id: name })
  })
}

async function withPeers(config: Config, work: (peers: Peers) => Promise<void>): Promise<void> {
  const database = postgres({ url: await databaseUrlOf(config), log: stderrLog() })
  try {
    await work(postgresPeers(database))
  } finally {
    await database.close()
  }
}
