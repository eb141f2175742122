// Rotation through a restart of everything: what was replaced stays replaced, what was promised is kept.
import { expect } from 'chai'
import { claimsOf, eventually, PASSWORD, untilReady, type Pair } from '../support/service/environment.ts'
import { restartablePostgres, runSql } from '../support/servers/postgres.ts'
import { testRedis } from '../support/servers/redis.ts'
import { rotatedLongAgo } from '../support/service/rotated-long-ago.ts'
import { runSignoff, startSignoff, type Signoff } from '../support/service/signoff.ts'

describe('rotation through a restart of everything', () => {
  let world: Awaited<ReturnType<typeof startWorld>>

  before(async () => {
    world = await startWorld()
  })
  after(async () => {
    await world.remove()
  })

  const refresh = async (token: string) =>
    await world.signoff().post('/auth/token/refresh/', { refresh: token })

  async function loggedIn(): Promise<Pair> {
    const answer = await world.signoff().post('/auth/login/', { username: 'alice', password: PASSWORD })
    return answer.json as Pair
  }

  async function rotated(token: string): Promise<Pair> {
    const answer = await refresh(token)
    expect(answer.status, answer.text).to.equal(200)
    return answer.json as Pair
  }

  it('answers the replay within the grace with the very same successor', async () => {
    const first = await loggedIn()
    const second = await rotated(first.refresh)

    await world.restart()
    const replayed = await rotated(first.refresh)

    expect(replayed.refresh).to.equal(second.refresh)
  })

  it('ends the session when a token comes back that was used up before', async () => {
    const first = await loggedIn()
    const third = await rotated((await rotated(first.refresh)).refresh)

    await world.restart()
    const reused = await refresh(first.refresh)

    expect(reused.status).to.equal(401)
    expect((await refresh(third.refresh)).status).to.equal(401)
  })

  it('ends the session when a token comes back after the grace whose successor has arrived', async () => {
    const first = await loggedIn()
    const second = await rotated(first.refresh)
    await world.signoff().post('/auth/token/verify/', { token: second.refresh })

    await world.restart()
    await rotatedLongAgo(world, first.refresh)
    const reused = await refresh(first.refresh)
    const successor = await refresh(second.refresh)

    expect([reused.status, successor.status]).to.deep.equal([401, 401])
  })

  it('answers a late replay with the very same successor', async () => {
    const first = await loggedIn()
    const second = await rotated(first.refresh)

    await world.restart()
    await rotatedLongAgo(world, first.refresh)
    const replayed = await rotated(first.refresh)

    expect(replayed.refresh).to.equal(second.refresh)
    expect((await refresh(replayed.refresh)).status).to.equal(200)
  })

  it('does both with a Redis that was emptied in between', async () => {
    const [kept, stolen] = [await loggedIn(), await loggedIn()]
    const keptSuccessor = await rotated(kept.refresh)
    const stolenSuccessor = await rotated((await rotated(stolen.refresh)).refresh)

    await world.redis.client.flushall()

    expect((await rotated(kept.refresh)).refresh).to.equal(keptSuccessor.refresh)
    expect((await refresh(stolen.refresh)).status).to.equal(401)
    expect((await refresh(stolenSuccessor.refresh)).status).to.equal(401)
    await eventually(async () => (await world.redis.client.exists(denialKeyOf(stolen.refresh))) === 1)
  })
})

function denialKeyOf(token: string): string {
  const sid = String(claimsOf(token)['sid'])
  return `denylist:{${sid.slice(-2)}}:${sid}`
}

/** Postgres, Redis and the service, all of which can be killed and started again on what they left. */
async function startWorld() {
  const [postgres, redis] = await Promise.all([restartablePostgres(), testRedis()])
  const env = { REFRESH_ROTATION: 'on', ROTATION_GRACE: '300' }
  const start = async (more: Record<string, string> = {}): Promise<Signoff> => {
    const databaseUrl = postgres.url()
    const started = await startSignoff({ databaseUrl, redisUrl: redis.url, env: { ...env, ...more } })
    await untilReady(started)
    return started
  }
  const first = await start()
  const keys = {
    SIGNING_KEYS_FILE: first.files.signingKeysFile,
    REFRESH_KEY_FILE: first.files.refreshKeyFile,
  }
  await runSignoff(['user', 'add', 'alice'], { env: { DATABASE_URL: postgres.url() }, input: PASSWORD })

  const restartRedis = async (): Promise<void> => {
    await redis.signal('SIGKILL')
    await redis.start()
  }

  const later: Signoff[] = []
  const current = (): Signoff => later.at(-1) ?? first
  return {
    redis,
    signoff: current,
    sql: async (text: string, values: unknown[]) => await runSql(postgres.url(), text, values),
    restart: async () => {
      current().kill('SIGKILL')
      await current().exited
      await Promise.all([restartRedis(), postgres.restart()])
      later.push(await start(keys))
    },
    remove: async () => {
      for (const signoff of [...later, first]) await signoff.stop()
      await Promise.all([redis.remove(), postgres.remove()])
    },
  }
}
