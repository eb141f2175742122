// The operations of the clients and the peer: each one bounded, recorded, and never rejecting.
import { createHash, randomInt } from 'node:crypto'
import type { Pool } from 'undici'
import { denialKey, partitionOf, tokenId, watermarkKey } from '../../src/contract/denylist-keys.ts'
import { claimsOf, PASSWORD } from '../support/service/environment.ts'
import { INSTANCES, type InstanceName, type Kind, type Operation, type TokenRecord } from './history.ts'
import { poolOf, send, type Request, type Response } from './https.ts'
import type { PeerSocket } from './feed-peer.ts'
import { runTime, type About, type Recorder } from './recorder.ts'
import type { RunService } from './world.ts'

export interface Token extends TokenRecord {
  text: string
  sid: string
  jti: string
}

export interface Pair {
  access: Token
  refresh: Token
}

export const PEERS = ['peer', 'feed'] as const
export type PeerName = (typeof PEERS)[number]

export const LOGOUTS = ['token-api', 'blacklist', 'bearer', 'v1-access', 'v1-refresh'] as const
export type LogoutDialect = (typeof LOGOUTS)[number]

export interface Api {
  /** A session that rotates (`/api/v1`) or not (the token API); `null` where there is none. */
  login(at: InstanceName, client: string, rotates: boolean): Promise<Pair | null>
  /** Of a session that does not rotate: the new access token, if any. */
  refresh: (at: InstanceName, client: string, token: Token) => Promise<Token | null>
  rotate: (at: InstanceName, client: string, token: Token) => Promise<Pair | null>
  /** The same at the token API, where rotation is off: a token that has a generation rotates there too. */
  rotateElsewhere: (at: InstanceName, client: string, token: Token) => Promise<Pair | null>
  verify(at: InstanceName, client: string, token: Token): Promise<Operation>
  logout(at: InstanceName, client: string, by: { pair: Pair; dialect: LogoutDialect }): Promise<Operation>
  /** What a peer makes of an access token that it has found genuine and young enough. */
  peerCheck(at: PeerName, client: string, token: Token): Promise<Operation>
  /** Resolves when a WebSocket is open, or refused; it stays open until the feed peer ends it, or all is over. */
  openSocket(client: string, token: Token): Promise<void>
  /** Whether this instance says that it and its stores are well. Not recorded. */
  isReady(at: InstanceName): Promise<boolean>
  /** Requests that have not been answered yet. */
  underWay(at: InstanceName): number
  close(): Promise<void>
}

/** Two waits for Redis and two for Postgres, and what this machine needs when it is busy. */
const DEADLINE_MS: Record<Kind, number> = {
  login: 6500,
  refresh: 4500,
  rotate: 5500,
  verify: 4500,
  logout: 5500,
  'peer-check': 2000,
  socket: Infinity,
}

export function api(world: RunService, { record, keep }: Recorder): Api {
  const sockets = new Map<PeerSocket, Promise<void>>()
  const pools = Object.fromEntries(INSTANCES.map((name) => [name, poolOf(world, name)])) as Record<
    InstanceName,
    Pool
  >
  const open: Record<InstanceName, number> = { one: 0, two: 0 }

  async function call(at: InstanceName, request: Request): Promise<Response> {
    open[at] += 1
    try {
      return await send(pools[at], request)
    } finally {
      open[at] -= 1
    }
  }

  async function exchange(at: InstanceName, about: Presented, path: string): Promise<Response['body']> {
    const { token, field } = about
    let body: Response['body'] = {}
    await record(described(about, at), async () => {
      const response = await call(at, { path, json: { [field]: token.text } })
      ;({ body } = response)
      const successor = body['refresh_token'] ?? body['refresh']
      return {
        answer: response.answer,
        successor: typeof successor === 'string' ? digestOf(successor) : null,
      }
    })
    return body
  }

  return {
    login: async (at, client, rotates) => {
      let pair: Pair | null = null
      const username = world.usernames[randomInt(world.usernames.length)]
      const about = { kind: 'login', at, client, sid: null, token: null } as const
      await record({ ...about, deadlineMs: DEADLINE_MS.login }, async () => {
        const path = rotates ? '/api/v1/auth/login' : '/auth/login/'
        const { answer, body } = await call(at, { path, json: { username, password: PASSWORD } })
        pair = pairOf(body)
        return { answer, sid: pair?.refresh.sid ?? null }
      })
      return pair
    },

    refresh: async (at, client, token) => {
      const about = { kind: 'refresh', client, token, field: 'refresh' } as const
      const { access } = await exchange(at, about, '/auth/token/refresh/')
      return typeof access === 'string' ? readToken(access) : null
    },

    rotate: async (at, client, token) => {
      const about = { kind: 'rotate', client, token, field: 'refresh_token' } as const
      return pairOf(await exchange(at, about, '/api/v1/auth/refresh'))
    },

    rotateElsewhere: async (at, client, token) => {
      const about = { kind: 'rotate', client, token, field: 'refresh' } as const
      return pairOf(await exchange(at, about, '/auth/token/refresh/'))
    },

    verify: async (at, client, token) =>
      await record(described({ kind: 'verify', client, token }, at), async () => {
        const { answer } = await call(at, { path: '/auth/token/verify/', json: { token: token.text } })
        return { answer }
      }),

    logout: async (at, client, { pair, dialect }) => {
      const { token, request } = logoutRequest(pair, dialect)
      return await record(described({ kind: 'logout', client, token }, at), async () => {
        const { answer } = await call(at, request)
        return { answer }
      })
    },

    peerCheck: async (at, client, token) =>
      await record(described({ kind: 'peer-check', client, token }, at), async () => ({
        answer: at === 'peer' ? await askRedis(world, token) : await world.feedPeer.check(token.text),
      })),

    openSocket: async (client, token) => {
      const startedAt = runTime()
      const socket = await world.feedPeer.connect(token.text)
      const { refused } = socket
      if (refused !== null) {
        keep({ ...described({ kind: 'peer-check', client, token }, 'feed'), answer: refused, startedAt })
        return
      }
      const kept = socket.ended.then((answer) => {
        sockets.delete(socket)
        keep({ ...described({ kind: 'socket', client, token }, 'feed'), answer, startedAt })
      })
      sockets.set(socket, kept)
    },

    isReady: async (at) => (await send(pools[at], { method: 'GET', path: '/readyz' })).answer === 200,

    underWay: (at) => open[at],

    close: async () => {
      const ended = [...sockets.values()]
      for (const socket of sockets.keys()) socket.end()
      await Promise.all(ended)
      await Promise.all(
        INSTANCES.map(async (name) => {
          await pools[name].destroy()
        }),
      )
    },
  }
}

interface Presented {
  kind: Kind
  client: string
  token: Token
  field: string
}

function described({ kind, client, token }: Omit<Presented, 'field'>, at: Operation['at']): About {
  const { digest, type, generation, expiresAt, sid } = token
  return {
    kind,
    at,
    client,
    sid,
    token: { digest, type, generation, expiresAt },
    deadlineMs: DEADLINE_MS[kind],
  }
}

function logoutRequest(
  { access, refresh }: Pair,
  dialect: LogoutDialect,
): { token: Token; request: Request } {
  switch (dialect) {
    case 'token-api':
      return { token: refresh, request: { path: '/auth/logout/', json: { refresh_token: refresh.text } } }
    case 'blacklist':
      return { token: refresh, request: { path: '/auth/token/blacklist/', json: { refresh: refresh.text } } }
    case 'bearer':
      return { token: access, request: { path: '/logout', bearer: access.text } }
    case 'v1-access':
      return { token: access, request: { path: '/api/v1/auth/logout', bearer: access.text } }
    case 'v1-refresh':
      return {
        token: refresh,
        request: { path: '/api/v1/auth/logout', json: { refresh_token: refresh.text } },
      }
  }
}

/** The check of a peer in any language, as the design states it: one MGET. */
async function askRedis({ redis }: RunService, { sid, jti }: Token): Promise<Operation['answer']> {
  try {
    const keys = [watermarkKey(partitionOf(sid)), denialKey(sid), denialKey(tokenId(sid, jti))]
    const [synced, ...denials] = await redis.mget(keys)
    if (synced === null) return 503
    return denials.some((denial) => denial !== null) ? 401 : 200
  } catch {
    return 'no answer'
  }
}

function pairOf(body: Response['body']): Pair | null {
  const access = body['access_token'] ?? body['access']
  const refresh = body['refresh_token'] ?? body['refresh']
  if (typeof access !== 'string' || typeof refresh !== 'string') return null
  return { access: readToken(access), refresh: readToken(refresh) }
}

function readToken(text: string): Token {
  const claims = claimsOf(text)
  return {
    text,
    sid: String(claims['sid']),
    jti: String(claims['jti']),
    type: claims['token_type'] === 'access' ? 'access' : 'refresh',
    generation: typeof claims['gen'] === 'number' ? claims['gen'] : null,
    expiresAt: Number(claims['exp']) * 1000,
    digest: digestOf(text),
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
