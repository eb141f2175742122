// Rotation seen from outside: one successor for each refresh token, whoever races, and no way back.
import { expect } from 'chai'
import {
  claimsOf,
  PASSWORD,
  statusAndBody,
  testEnvironment,
  type Pair,
  type TestEnvironment,
} from '../support/service/environment.ts'
import { rotatedLongAgo } from '../support/service/rotated-long-ago.ts'
import type { Answer } from '../support/service/signoff.ts'

/** The longest there is: of whatever comes soon after a rotation, nothing comes too late. */
const GRACE_SECONDS = 300
/** Each of the eleven places that a logout can have among ten rotations, five times. */
const ROUNDS = 55
const BLACKLISTED = {
  status: 401,
  body: { detail: 'Token is blacklisted', code: 'token_not_valid' },
}

describe('a refresh token without rotation that is rotated elsewhere', () => {
  it('ends its session when it comes back to the token API', async () => {
    const env = await testEnvironment({ ROTATION_GRACE: '0' })
    try {
      const owner = await env.login()
      const stolen = await env.signoff.post('/api/v1/auth/refresh', { refresh_token: owner.refresh })
      const thief = (stolen.json as { refresh_token: string }).refresh_token
      await env.signoff.post('/auth/token/verify/', { token: thief })
      await rotatedLongAgo(env.database, owner.refresh)

      const returned = await env.signoff.post('/auth/token/refresh/', { refresh: owner.refresh })
      const thiefAgain = await env.signoff.post('/api/v1/auth/refresh', { refresh_token: thief })

      expect(statusAndBody(returned)).to.deep.equal(BLACKLISTED)
      expect(thiefAgain.status).to.equal(401)
      const entries = await env.database.sql<{ event_type: string }>(
        'SELECT event_type FROM logs ORDER BY id',
      )
      expect(entries.map(({ event_type }) => event_type)).to.include('REFRESH_REUSE')
    } finally {
      await env.stop()
    }
  })
})

describe('rotation at the token API', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment({
      REFRESH_ROTATION: 'on',
      ROTATION_GRACE: String(GRACE_SECONDS),
      // Each login of the rounds below comes from an address of its own.
      TRUST_PROXY: 'loopback',
    })
  })
  after(async () => {
    await env.stop()
  })

  const refresh = async (token: string): Promise<Answer> =>
    await env.signoff.post('/auth/token/refresh/', { refresh: token })
  const logout = async (token: string): Promise<Answer> =>
    await env.signoff.post('/auth/logout/', { refresh_token: token })
  const verify = async (token: string): Promise<Answer> =>
    await env.signoff.post('/auth/token/verify/', { token })

  async function rotated(token: string): Promise<Pair> {
    const answer = await refresh(token)
    expect(answer.status).to.equal(200)
    return answer.json as Pair
  }

  async function generationOf(token: string): Promise<number | undefined> {
    const [row] = await env.database.sql<{ generation: number }>(
      'SELECT generation FROM user_sessions WHERE id = $1',
      [claimsOf(token)['sid']],
    )
    return row?.generation
  }

  it('answers 50 parallel refreshes of one token with one successor', async () => {
    const first = await env.login()

    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(first.refresh)))

    expect(answers.map(({ status }) => status)).to.deep.equal(Array.from({ length: 50 }, () => 200))
    const successors = new Set(answers.map(({ json }) => (json as Pair).refresh))
    expect(successors.size).to.equal(1)
    expect(successors).not.to.include(first.refresh)
    expect(await generationOf(first.refresh)).to.equal(1)
  })

  it('ends the session when a token comes back after the grace that was replaced, and the successor with it', async () => {
    const first = await env.login()
    const second = await rotated(first.refresh)
    await verify(second.refresh)
    await rotatedLongAgo(env.database, first.refresh)

    const reused = await refresh(first.refresh)

    expect(statusAndBody(reused)).to.deep.equal(BLACKLISTED)
    expect(statusAndBody(await refresh(second.refresh))).to.deep.equal(BLACKLISTED)
    expect(statusAndBody(await verify(second.access))).to.deep.equal(BLACKLISTED)
    const [entry] = await env.database.sql<{ event_type: string; message: string }>(
      'SELECT event_type, message FROM logs WHERE session_id = $1 ORDER BY id DESC LIMIT 1',
      [claimsOf(first.refresh)['sid']],
    )
    expect(entry).to.deep.equal({ event_type: 'REFRESH_REUSE', message: 'generation 0, current 1' })
    const told = env.signoff.log.filter(({ msg }) => String(msg).startsWith('a refresh token was used twice'))
    expect(told).to.have.length(1)
    expect(told[0]).to.include({ level: 'warn', sessionId: claimsOf(first.refresh)['sid'] })
    const metrics = await fetch(`${env.signoff.adminUrl}/metrics`)
    expect(await metrics.text()).to.include('signoff_events_total{type="REFRESH_REUSE"} 1')
  })

  it('ends the session at once when a token comes back that was replaced twice', async () => {
    const first = await env.login()
    const third = await rotated((await rotated(first.refresh)).refresh)

    const reused = await refresh(first.refresh)

    expect(statusAndBody(reused)).to.deep.equal(BLACKLISTED)
    expect(statusAndBody(await refresh(third.refresh))).to.deep.equal(BLACKLISTED)
  })

  it('calls a replaced token dead when it is only asked about, and leaves its session alone', async () => {
    const first = await env.login()
    const third = await rotated((await rotated(first.refresh)).refresh)

    const verified = await verify(first.refresh)

    expect(statusAndBody(verified)).to.deep.equal(BLACKLISTED)
    expect((await refresh(third.refresh)).status).to.equal(200)
  })

  it('ends the session at a logout with a token that was just replaced', async () => {
    const first = await env.login()
    const second = await rotated(first.refresh)

    const answer = await logout(first.refresh)

    expect(answer.status).to.equal(200)
    expect(statusAndBody(await refresh(second.refresh))).to.deep.equal(BLACKLISTED)
  })

  it('lets a logout that races ten rotations win, wherever it comes among them', async () => {
    let mostRotations = 0
    for (let round = 0; round < ROUNDS; round++) {
      const login = await env.signoff.call('/auth/login/', {
        json: { username: 'alice', password: PASSWORD },
        headers: { 'X-Forwarded-For': `198.51.100.${round}` },
      })
      const first = login.json as Pair
      const pairs: Pair[] = [first]
      const rotation = async (): Promise<void> => {
        const answer = await refresh(pairs.at(-1)?.refresh ?? '')
        if (answer.status === 200) pairs.push(answer.json as Pair)
      }

      const before = Array.from({ length: round % 11 }, rotation)
      const end = logout(first.refresh)
      const after = Array.from({ length: 10 - (round % 11) }, rotation)
      await Promise.all([...before, ...after])
      expect((await end).status).to.equal(200)

      mostRotations = Math.max(mostRotations, pairs.length - 1)
      const tokens = new Set(pairs.flatMap((pair) => [pair.refresh, pair.access]))
      for (const token of tokens) {
        expect((await verify(token)).status, `round ${round}: a survivor`).to.equal(401)
      }
      expect((await refresh(pairs.at(-1)?.refresh ?? '')).status).to.equal(401)
    }
    expect(mostRotations, 'rotations that came before a logout').to.be.above(0)
  })

  it('gives no refresh token more life than SESSION_MAX_AGE', async () => {
    const capped = await testEnvironment({
      REFRESH_ROTATION: 'on',
      REFRESH_TOKEN_TTL: '600',
      SESSION_MAX_AGE: '60',
    })
    try {
      const first = await capped.login()
      const answer = await capped.signoff.post('/auth/token/refresh/', { refresh: first.refresh })

      const { iat, exp } = claimsOf(first.refresh) as { iat: number; exp: number }
      expect(exp - iat).to.equal(60)
      expect(claimsOf((answer.json as Pair).refresh)['exp']).to.be.within(exp - 1, exp)
    } finally {
      await capped.stop()
    }
  })
})
