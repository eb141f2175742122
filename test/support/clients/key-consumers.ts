// Everybody who takes access tokens: a peer with the library, one with jose, introspection, and a gateway's check.
import { createRemoteJWKSet, customFetch, errors, jwtVerify } from 'jose'
import { Agent, fetch } from 'undici'
import { readFile } from 'node:fs/promises'
import { createVerifier, introspection, TokenError, type Fetch } from '../../../src/peer/index.ts'
import type { PeerClient } from './peer.ts'
import type { Signoff } from '../service/signoff.ts'

export interface KeyConsumers {
  /** By name; each resolves to the status that the bearer of the token would hear. */
  checks: Record<string, (token: string) => Promise<number>>
  close(): Promise<void>
}

export interface KeyConsumersOptions {
  issuer: string
  /** The instance that all of them ask. */
  at: Signoff
  peer: PeerClient
  /** How long those that fetch keys keep them. */
  keysKeptMs: number
}

/** What a verifier of ours waits between two readings of the keys. */
const KEYS_REFRESH_MS = 600_000

export async function keyConsumers(options: KeyConsumersOptions): Promise<KeyConsumers> {
  const { issuer, at, peer, keysKeptMs } = options
  const agent = new Agent({
    connect: {
      ca: await readFile(at.files.certFile),
      lookup: (_name, _options, done) => {
        done(null, [{ address: '127.0.0.1', family: 4 }])
      },
    },
  })
  const ask = (async (url: string, init: object) =>
    await fetch(url, { ...init, dispatcher: agent })) as unknown as Fetch
  const jwksUrl = `${at.url}/.well-known/jwks.json`
  const verifier = withShortInterval(keysKeptMs, () =>
    createVerifier({
      issuer,
      audience: 'signoff',
      jwksUrl,
      leewaySeconds: 1,
      denylist: introspection({ ...peer, url: `${at.url}/oauth/introspect` }),
      fetch: ask,
    }),
  )
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    cacheMaxAge: keysKeptMs,
    [customFetch]: ask as unknown as typeof globalThis.fetch,
  })
  await verifier.ready(60_000)
  return {
    checks: {
      'signoff/peer': async (token) => await verifier.verify(token).then(() => 200, statusOf),
      jose: async (token) =>
        await jwtVerify(token, keys, { issuer, audience: 'signoff' }).then(() => 200, statusOf),
      introspection: async (token) => {
        const { status, json } = await peer.introspect(token)
        return status === 200 && !(json as { active: boolean }).active ? 401 : status
      },
      '/auth/check': async (token) =>
        (await at.call('/auth/check', { headers: { Authorization: `Bearer ${token}` } })).status,
    },
    close: async () => {
      await verifier.close()
      await agent.destroy()
    },
  }
}

/** No option of the library, since nobody but a test would want it. */
function withShortInterval<T>(everyMs: number, work: () => T): T {
  const { setInterval } = globalThis
  globalThis.setInterval = ((callback: () => void, ms: number) =>
    setInterval(callback, ms === KEYS_REFRESH_MS ? everyMs : ms)) as typeof setInterval
  try {
    return work()
  } finally {
    globalThis.setInterval = setInterval
  }
}

/** Refused, or cannot tell. */
function statusOf(error: unknown): number {
  if (error instanceof TokenError) {
    return error.code === 'keys_unavailable' || error.code === 'denylist_unknown' ? 503 : 401
  }
  return error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError) ? 503 : 401
}
