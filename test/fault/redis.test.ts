// Redis killed, hung or emptied in the middle of traffic: nothing hangs, nothing opens, logouts hold.
import { expect } from 'chai'
import {
  claimsOf,
  eventually,
  PASSWORD,
  testEnvironment,
  untilReady,
  type Pair,
  type TestEnvironment,
} from '../support/service/environment.ts'
import { HANGING_MS } from '../support/clients/hanging.ts'
import type { Answer } from '../support/service/signoff.ts'

/** A login holds the row of its user for a moment, which no other one is to wait for. */
const USERNAMES = ['bob', 'carol', 'dave', 'erin']
/** Of each client, from the fault on. */
const SESSIONS = 3

interface Observed {
  what: 'login' | 'refresh' | 'logout' | 'refresh after logout'
  status: number
  ms: number
}

describe('Redis in trouble', () => {
  let env: TestEnvironment

  beforeEach(async () => {
    env = await testEnvironment()
    for (const username of USERNAMES) await env.addUser(username)
  })
  afterEach(async () => {
    await env.stop()
  })

  it('is killed in the middle of traffic and comes back', async () => {
    const loggedOut = await loggedOutPair()
    const observed = await trafficDuring(async () => {
      await env.redis.signal('SIGKILL')
    })
    await env.redis.start()
    await untilReady(env.signoff)

    expectCalm(observed)
    await expectRefused(loggedOut)
  })

  it('is hung in the middle of traffic and goes on', async () => {
    const loggedOut = await loggedOutPair()
    const observed = await trafficDuring(async () => {
      await env.redis.signal('SIGSTOP')
    })
    await env.redis.signal('SIGCONT')
    await untilReady(env.signoff)

    expectCalm(observed)
    await expectRefused(loggedOut)
  })

  it('is emptied behind our back', async () => {
    const loggedOut = await loggedOutPair()

    await env.redis.client.flushall()

    await expectRefused(loggedOut)
    await untilReady(env.signoff)
    await expectRefused(loggedOut)
  })

  it('comes back empty: the journal refills it, lifetimes included', async () => {
    const loggedOut = await loggedOutPair()
    const ttlMs = await denialTtlMs(loggedOut)

    await env.redis.client.config('SET', 'appendonly', 'no')
    await env.redis.signal('SIGKILL')
    await expectRefused(loggedOut)
    await env.redis.start()
    await env.redis.client.flushall()
    await eventually(async () => (await denialTtlMs(loggedOut)) > 0)

    await expectRefused(loggedOut)
    expect(await denialTtlMs(loggedOut)).to.be.within(ttlMs - 120_000, ttlMs + 1000)
  })

  it('says so: readiness names it, the log tells when checks move to Postgres and back', async () => {
    await env.redis.signal('SIGKILL')
    const down = await env.signoff.call('/readyz', { method: 'GET' })
    const alive = await env.signoff.call('/healthz', { method: 'GET' })
    await env.redis.start()
    await untilReady(env.signoff)

    expect(down.status).to.equal(503)
    expect(down.json).to.deep.include({
      checks: {
        postgres: 'ok',
        redis: 'not connected',
        denylist: 'not in sync with the journal, which is asked instead',
        clock: 'ok',
      },
    })
    expect(alive.status).to.equal(200)
    const messages = env.signoff.log.map(({ msg }) => msg)
    expect(messages).to.include('Redis is not known to agree with the journal: checks ask Postgres')
    expect(messages.lastIndexOf('Redis agrees with the journal: checks ask Redis')).to.be.above(
      messages.lastIndexOf('Redis is not known to agree with the journal: checks ask Postgres'),
    )
  })

  async function loggedOutPair(): Promise<Pair> {
    const pair = await env.login()
    const answer = await env.signoff.post('/auth/logout/', { refresh_token: pair.refresh })
    expect(answer.status).to.equal(200)
    // Old enough that only a whole rebuild, and no look at the journal's tail, brings it back.
    await env.database.sql(`UPDATE revocations SET created_at = created_at - interval '1 hour'`)
    return pair
  }

  async function expectRefused({ refresh, access }: Pair): Promise<void> {
    const refreshed = await env.signoff.post('/auth/token/refresh/', { refresh })
    const verified = await env.signoff.post('/auth/token/verify/', { token: access })
    expect([refreshed.status, verified.status]).to.deep.equal([401, 401])
  }

  async function denialTtlMs({ refresh }: Pair): Promise<number> {
    const sid = String(claimsOf(refresh)['sid'])
    return await env.redis.client.pttl(`denylist:{${sid.slice(-2)}}:${sid}`)
  }

  /** Clients that log in, refresh, log out and try the dead token again, before and while `fault` is on. */
  async function trafficDuring(fault: () => Promise<void>): Promise<Observed[]> {
    const observed: Observed[] = []
    let isOn = false
    const clients = USERNAMES.map(async (username) => {
      for (let left = SESSIONS; left > 0;) {
        if (isOn) left -= 1
        await oneSession(observed, username)
      }
    })
    await eventually(() => observed.length > 0)
    await fault()
    isOn = true
    await Promise.all(clients)
    return observed
  }

  async function oneSession(observed: Observed[], username: string): Promise<void> {
    const timed = async (what: Observed['what'], work: () => Promise<Answer>): Promise<Answer> => {
      const start = performance.now()
      const answer = await work()
      observed.push({ what, status: answer.status, ms: performance.now() - start })
      return answer
    }
    const login = await timed(
      'login',
      async () =>
        await env.signoff.post('/auth/login/', {
          username,
          password: PASSWORD,
        }),
    )
    const { refresh } = login.json as Pair
    await timed('refresh', async () => await env.signoff.post('/auth/token/refresh/', { refresh }))
    await timed('logout', async () => await env.signoff.post('/auth/logout/', { refresh_token: refresh }))
    await timed(
      'refresh after logout',
      async () => await env.signoff.post('/auth/token/refresh/', { refresh }),
    )
  }

  function expectCalm(observed: Observed[]): void {
    const right = { login: 200, refresh: 200, logout: 200, 'refresh after logout': 401 }
    expect(observed.length).to.be.above(4 * USERNAMES.length * SESSIONS)
    for (const { what, status, ms } of observed) {
      expect(status, what).to.equal(right[what])
      expect(ms, what).to.be.below(HANGING_MS)
    }
  }
})
