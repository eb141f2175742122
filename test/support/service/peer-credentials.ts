// The credentials of a peer, made as an operator makes them.
import type { OwnIssuer } from './own-issuer.ts'
import { runSignoff } from './signoff.ts'

export interface TestPeer {
  clientId: string
  clientSecret: string
}

/** `signoff peer add NAME --json`. */
export async function peerCredentials(
  { database }: Pick<OwnIssuer, 'database'>,
  name: string,
): Promise<TestPeer> {
  const { status, stdout, stderr } = await runSignoff(['peer', 'add', name, '--json'], {
    env: { DATABASE_URL: database.url },
  })
  if (status !== 0) throw new Error(stderr)
  const added = JSON.parse(stdout) as { client_id: string; client_secret: string }
  return { clientId: added.client_id, clientSecret: added.client_secret }
}
