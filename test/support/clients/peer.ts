// A peer as an operator adds it, and how it asks.
import type { TestDatabase } from '../servers/postgres.ts'
import { runSignoff, type Answer, type Signoff } from '../service/signoff.ts'

export interface PeerClient {
  clientId: string
  clientSecret: string
  /** The Authorization header. */
  basic: string
  /** POSTs a form with the credentials in the header. */
  post(path: string, form: Record<string, string> | string): Promise<Answer>
  introspect(token: string): Promise<Answer>
  revoke(token: string): Promise<Answer>
}

/** Adds it by the command, to the database behind that service. */
export async function addedPeer(
  signoff: Signoff,
  { url }: Pick<TestDatabase, 'url'>,
  name = 'shop',
): Promise<PeerClient> {
  const { status, stdout, stderr } = await runSignoff(['peer', 'add', name, '--json'], {
    env: { DATABASE_URL: url },
  })
  if (status !== 0) throw new Error(`peer add ended with ${String(status)}: ${stderr}`)
  const { client_id, client_secret } = JSON.parse(stdout) as { client_id: string; client_secret: string }
  const basic = basicAuth(client_id, client_secret)
  const post: PeerClient['post'] = async (path, form) =>
    await postForm(signoff, path, { form, headers: { Authorization: basic } })
  return {
    clientId: client_id,
    clientSecret: client_secret,
    basic,
    post,
    introspect: async (token) => await post('/oauth/introspect', { token }),
    revoke: async (token) => await post('/oauth/revoke', { token }),
  }
}

export function basicAuth(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
}

export async function postForm(
  signoff: Signoff,
  path: string,
  { form, headers = {} }: { form: Record<string, string> | string; headers?: Record<string, string> },
): Promise<Answer> {
  return await signoff.call(path, {
    body: new URLSearchParams(form).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  })
}
