// Clients that retry keep their sessions, whatever is lost on the way; thieves and logouts still end them.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import {
  claimsOf,
  PASSWORD,
  testEnvironment,
  type Pair,
  type TestEnvironment,
} from '../support/environment.ts'
import { rotatedLongAgo } from '../support/rotated-long-ago.ts'
import { A_MINUTE_MS, severalInstances, stopAll, untilAllReady } from '../support/several-instances.ts'
import type { Answer, Signoff } from '../support/signoff.ts'
import { untilAnswered } from '../support/until-answered.ts'
import { tcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const CLIENTS = 12
/** A client that has waited for so long gives up, closes its connection, and asks another instance. */
const PATIENCE_MS = 1000
const PAUSE_MS = 100
/** Longer than a standstill has to be to count as one. */
const STANDSTILL_MS = 5000

interface Client {
  /** The newest refresh token that it has got. */
  token: string
}

describe('clients of two instances that retry', () => {
  let env: TestEnvironment
  let toPostgres: TcpProxy
  let instances: Signoff[]
  let clients: Client[]
  let asked = 0

  before(async function () {
    this.timeout(2 * A_MINUTE_MS)
    env = await testEnvironment()
    const url = new URL(env.database.url)
    toPostgres = await tcpProxy(Number(url.port))
    url.port = String(toPostgres.port)
    const options = {
      databaseUrl: url.href,
      redisUrl: env.redis.url,
      env: { REFRESH_ROTATION: 'on', TRUST_PROXY: 'loopback' },
    }
    instances = await severalInstances([options, options])
    await untilAllReady(instances)
    clients = []
    for (let number = 0; number < CLIENTS; number += 1) clients.push({ token: await login() })
  })
  after(async () => {
    for (const instance of instances) instance.kill('SIGCONT')
    toPostgres.pass()
    await stopAll(instances)
    await toPostgres.close()
    await env.stop()
  })

  /** Each time at the other one. */
  const instance = (): Signoff => instances[asked++ % instances.length] as Signoff
  const login = async (): Promise<string> => {
    const { json } = await instance().post('/auth/login/', { username: 'alice', password: PASSWORD })
    return (json as Pair).refresh
  }
  const refresh = async (token: string, patience: { signal?: AbortSignal } = {}): Promise<Answer> =>
    await instance().call('/auth/token/refresh/', { json: { refresh: token }, ...patience })
  const answered = async (token: string): Promise<number> =>
    (await untilAnswered(async () => await refresh(token))).status

  /** Asks until it has an answer, gives up on those that do not come, and forgets every `lostOf`th that does. */
  async function step(client: Client, lostOf = Infinity): Promise<void> {
    const untilMs = performance.now() + A_MINUTE_MS
    for (let number = 1; performance.now() < untilMs; number += 1) {
      const patience = { signal: AbortSignal.timeout(PATIENCE_MS) }
      const asking = refresh(client.token, patience).catch(() => null)
      // A request that waits for its connection is given up only when that is there.
      const answer = await Promise.race([asking, sleep(PATIENCE_MS, null)])
      if (answer === null || answer.status === 503) {
        await sleep(PAUSE_MS)
        continue
      }
      expect(answer.status, `after ${number} tries: ${answer.text}`).to.equal(200)
      if (asked % lostOf === 0) continue
      client.token = (answer.json as Pair).refresh
      return
    }
    throw new Error('no answer for a minute')
  }

  const everybody = async (work: (client: Client) => Promise<void>): Promise<void> => {
    await Promise.all(
      clients.map(async (client) => {
        await work(client)
      }),
    )
  }
  const isOver = async ({ token }: Client): Promise<boolean> => {
    const [row] = await env.database.sql<{ end_reason: string | null }>(
      'SELECT end_reason FROM user_sessions WHERE id = $1',
      [claimsOf(token)['sid']],
    )
    return row?.end_reason !== null
  }
  const expectAllOn = async (): Promise<void> => {
    expect(await Promise.all(clients.map(isOver))).to.deep.equal(clients.map(() => false))
  }

  it('lose no session where every third answer is lost', async function () {
    this.timeout(3 * A_MINUTE_MS)
    for (let round = 0; round < 6; round += 1)
      await everybody(async (client) => {
        await step(client, 3)
      })

    await expectAllOn()
  })

  it('lose no session where an instance is stopped with their requests, and woken when they have gone on', async function () {
    this.timeout(3 * A_MINUTE_MS)
    const [, second] = instances
    second?.kill('SIGSTOP')
    const stopped = sleep(STANDSTILL_MS)
    for (let round = 0; round < 3; round += 1) await everybody(step)
    await stopped
    second?.kill('SIGCONT')
    for (let round = 0; round < 3; round += 1) await everybody(step)
    // By now what lay in its socket was answered, too.
    await untilAllReady(instances)
    await everybody(step)

    await expectAllOn()
  })

  it('lose no session where Postgres is away for longer than the grace, right after an answer was lost', async function () {
    this.timeout(3 * A_MINUTE_MS)
    await everybody(async ({ token }) => {
      await refresh(token)
    })
    toPostgres.cut()
    const refused = await refresh(clients[0]?.token ?? '')
    const stepping = everybody(step)
    // That time has passed is what the rows say.
    for (const { token } of clients) await rotatedLongAgo(env.database, token)
    toPostgres.pass()
    await stepping
    await everybody(step)

    expect(refused.status).to.equal(503)
    await expectAllOn()
  })

  it('lose it to a thief at the second step of the owner, and the thief loses it with them', async () => {
    const client = clients.pop() as Client
    const stolen = client.token
    await step(client)
    await step(client)

    expect(await answered(stolen)).to.equal(401)
    expect(await answered(client.token)).to.equal(401)
    expect(await isOver(client)).to.equal(true)
  })

  it('keep no token that works after a logout, whatever rotates at the same time', async function () {
    this.timeout(3 * A_MINUTE_MS)
    await everybody(async (client) => {
      const racing = Array.from({ length: 10 }, async () => await refresh(client.token))
      const ended = await untilAnswered(
        async () => await instance().post('/auth/logout/', { refresh_token: client.token }),
      )
      // One that was answered 503 may have ended it.
      expect(ended.status, ended.text).to.be.oneOf([200, 401])
      const rotated = (await Promise.all(racing)).filter(({ status }) => status === 200)
      const tokens = [client.token, ...rotated.map(({ json }) => (json as Pair).refresh)]
      for (const token of new Set(tokens)) {
        for (const at of instances) {
          const ask = async () => await at.post('/auth/token/refresh/', { refresh: token })
          expect((await untilAnswered(ask)).status).to.equal(401)
        }
      }
    })
  })
})
