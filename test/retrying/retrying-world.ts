// Two instances, a Postgres that can be cut off, and clients that ask again until they have an answer.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import {
  claimsOf,
  PASSWORD,
  testEnvironment,
  type Pair,
  type TestEnvironment,
} from '../support/service/environment.ts'
import {
  A_MINUTE_MS,
  severalInstances,
  stopAll,
  untilAllReady,
} from '../support/service/several-instances.ts'
import type { Answer, Signoff } from '../support/service/signoff.ts'
import { tcpProxy, type TcpProxy } from '../support/servers/tcp-proxy.ts'
import { untilAnswered } from '../support/service/until-answered.ts'

export interface Client {
  username: string
  /** The newest refresh token that it has got. */
  token: string
}

/** What has happened so far. */
export interface Figures {
  sessions: number
  /** Rotations whose answer a client has kept. */
  rotations: number
  /** Answers that a client threw away. */
  lost: number
  /** Requests that a client gave up, closing their connection. */
  givenUp: number
  /** Answers of 503. */
  refused: number
}

export interface RetryingWorld {
  env: TestEnvironment
  toPostgres: TcpProxy
  instances: Signoff[]
  clients: Client[]
  figures: Figures
  /** An instance, each time the other one. */
  instance: () => Signoff
  /** A session of a user that there is. */
  login: (username: string) => Promise<Client>
  /** One request; the client keeps its token. */
  refresh: (token: string) => Promise<Answer>
  /** Asks until it has an answer, gives up on those that do not come, and forgets every `lostOf`th that does. */
  step: (client: Client, lostOf?: number) => Promise<void>
  everybody: (work: (client: Client) => Promise<void>) => Promise<void>
  /** Whether its session has ended, as the row says. */
  isOver: (client: Client) => Promise<boolean>
  stop: () => Promise<void>
}

/**
 * A client that has waited for so long gives up, closes its connection, and asks another instance: the second time
 * after twice as long, and so on. With the same patience each time, many at once on a slow machine would give up their
 * handshakes for ever.
 */
const PATIENCE_MS = 1000
const MAX_PATIENCE_MS = 8000
const PAUSE_MS = 100
/** However long an outage takes, and however slow the machine is. */
const NO_ANSWER_MS = 5 * A_MINUTE_MS

export interface RetryingWorldOptions {
  clients: number
  /** Of both instances. */
  settings?: Record<string, string>
}

/** Resolves when both instances are ready, and each client has a session. */
export async function retryingWorld({
  clients,
  settings = {},
}: RetryingWorldOptions): Promise<RetryingWorld> {
  const env = await testEnvironment()
  const url = new URL(env.database.url)
  const toPostgres = await tcpProxy(Number(url.port))
  url.port = String(toPostgres.port)
  const options = {
    databaseUrl: url.href,
    redisUrl: env.redis.url,
    env: { REFRESH_ROTATION: 'on', TRUST_PROXY: 'loopback', ...settings },
  }
  const instances = await severalInstances([options, options])
  const world = worldOf({ env, toPostgres, instances })
  await untilAllReady(instances)
  for (let number = 0; number < clients; number += 1) {
    const username = `client-${number}`
    await env.addUser(username)
    world.clients.push(await world.login(username))
  }
  return world
}

function worldOf({
  env,
  toPostgres,
  instances,
}: Pick<RetryingWorld, 'env' | 'toPostgres' | 'instances'>): RetryingWorld {
  const clients: Client[] = []
  const figures: Figures = { sessions: 0, rotations: 0, lost: 0, givenUp: 0, refused: 0 }
  let asked = 0
  const instance = (): Signoff => instances[asked++ % instances.length] as Signoff
  const refresh: RetryingWorld['refresh'] = async (token) =>
    await instance().call('/auth/token/refresh/', { json: { refresh: token } })

  return {
    env,
    toPostgres,
    instances,
    clients,
    figures,
    instance,
    refresh,

    login: async (username) => {
      const answer = await untilAnswered(
        async () => await instance().post('/auth/login/', { username, password: PASSWORD }),
      )
      expect(answer.status, answer.text).to.equal(200)
      figures.sessions += 1
      return { username, token: (answer.json as Pair).refresh }
    },

    step: async (client, lostOf = Infinity) => {
      const untilMs = performance.now() + NO_ANSWER_MS
      const before = { ...figures }
      const first = asked++
      for (let number = 1; performance.now() < untilMs; number += 1) {
        // The other one each time, whoever else asks meanwhile.
        const at = instances[(first + number) % instances.length] as Signoff
        const ms = Math.min(PATIENCE_MS * 2 ** (number - 1), MAX_PATIENCE_MS)
        const answer = await patientAnswer(at, { token: client.token, ms })
        asked += 1
        if (answer === null || answer.status === 503) {
          figures[answer === null ? 'givenUp' : 'refused'] += 1
          await sleep(PAUSE_MS * (1 + Math.random()))
          continue
        }
        expect(answer.status, `after ${number} tries: ${answer.text}`).to.equal(200)
        if (asked % lostOf === 0) {
          figures.lost += 1
          continue
        }
        client.token = (answer.json as Pair).refresh
        figures.rotations += 1
        return
      }
      const [givenUp, refused] = [figures.givenUp - before.givenUp, figures.refused - before.refused]
      throw new Error(
        `no answer for minutes; of all clients, ${givenUp} gave up, and ${refused} were told 503`,
      )
    },

    everybody: async (work) => {
      await Promise.all(
        clients.map(async (client) => {
          await work(client)
        }),
      )
    },

    isOver: async ({ token }) => {
      const [row] = await env.database.sql<{ end_reason: string | null }>(
        'SELECT end_reason FROM user_sessions WHERE id = $1',
        [claimsOf(token)['sid']],
      )
      return row?.end_reason !== null
    },

    stop: async () => {
      for (const stopped of instances) stopped.kill('SIGCONT')
      toPostgres.pass()
      await stopAll(instances)
      await toPostgres.close()
      await env.stop()
    },
  }

  /** `null` when it is given up. */
  async function patientAnswer(
    at: Signoff,
    { token, ms }: { token: string; ms: number },
  ): Promise<Answer | null> {
    const patience = { json: { refresh: token }, signal: AbortSignal.timeout(ms) }
    const asking = at.call('/auth/token/refresh/', patience).catch(() => null)
    // A request that waits for its connection is given up only when that is there.
    return await Promise.race([asking, sleep(ms, null)])
  }
}
