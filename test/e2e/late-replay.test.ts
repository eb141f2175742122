// A refresh token that comes back late, and one that is only read, in every dialect that refreshes.
import { expect } from 'chai'
import { COOKIE_NAME } from '../support/clients/browser-client.ts'
import {
  claimsOf,
  statusAndBody,
  testEnvironment,
  type TestEnvironment,
} from '../support/service/environment.ts'
import { REFRESH_DIALECTS, type RefreshDialect } from '../support/service/refresh-dialects.ts'
import { rotatedLongAgo } from '../support/service/rotated-long-ago.ts'

describe('a refresh token that comes back after the grace', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment({ REFRESH_ROTATION: 'on' })
  })
  after(async () => {
    await env.stop()
  })

  const entriesOf = async (token: string) =>
    (
      await env.database.sql<{ event_type: string; message: string | null }>(
        'SELECT event_type, message FROM logs WHERE session_id = $1 ORDER BY id',
        [claimsOf(token)['sid']],
      )
    ).filter(({ event_type }) => event_type.startsWith('REFRESH_'))
  const readSession = async (token: string) =>
    await env.signoff.call('/auth/session', { method: 'GET', headers: { Cookie: `${COOKIE_NAME}=${token}` } })

  for (const dialect of REFRESH_DIALECTS) {
    const refresh = async (token: string) => await dialect.refresh(env.signoff, token)

    describe(`at ${dialect.name}`, () => {
      let first: string
      let lost: string

      beforeEach(async () => {
        first = await dialect.login(env.signoff)
        lost = (await refresh(first)).successor ?? ''
        await rotatedLongAgo(env.database, first)
      })

      it('gets the very same successor again, and the session lives', async () => {
        const late = await refresh(first)

        expect(late.status).to.equal(200)
        expect(late.successor).to.equal(lost)
        expect((await env.signoff.post('/auth/token/verify/', { token: late.access })).status).to.equal(200)
        expect((await refresh(lost)).status).to.equal(200)
        const replay = { event_type: 'REFRESH_LATE_REPLAY', message: 'generation 0, current 1' }
        expect(await entriesOf(first)).to.deep.equal([replay])
      })

      it('gets it from twenty requests at once, which are logged once', async () => {
        const answers = await Promise.all(Array.from({ length: 20 }, async () => await refresh(first)))

        expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]))
        expect(new Set(answers.map(({ successor }) => successor))).to.deep.equal(new Set([lost]))
        expect(await entriesOf(first)).to.have.length(1)
      })

      it('ends the session where a page was loaded with the successor', async () => {
        expect((await readSession(lost)).status).to.equal(200)

        await expectReuse(dialect, first, lost)
      })

      it('ends the session where the successor was verified', async () => {
        expect((await env.signoff.post('/auth/token/verify/', { token: lost })).status).to.equal(200)

        await expectReuse(dialect, first, lost)
      })

      it('ends the session where the successor was used', async () => {
        const third = (await refresh(lost)).successor ?? ''

        await expectReuse(dialect, first, third)
      })

      it('ends the session at the second step of a thief who follows the owner', async () => {
        await refresh(first)
        const thiefs = (await refresh(lost)).successor ?? ''
        await rotatedLongAgo(env.database, first)
        await env.database.sql(
          `UPDATE user_sessions SET late_replay_at = late_replay_at - interval '1 hour' WHERE id = $1`,
          [claimsOf(first)['sid']],
        )

        const owner = await refresh(lost)

        expect({ status: owner.status, body: owner.body }).to.deep.equal({
          status: 401,
          body: dialect.denied,
        })
        expect((await refresh(thiefs)).status).to.equal(401)
      })

      it('is let in where it is only read, as at a refresh, which ends nothing and uses up nothing', async () => {
        const read = [
          await readSession(first),
          await env.signoff.post('/auth/token/verify/', { token: first }),
        ]

        expect(read.map(({ status }) => status)).to.deep.equal([200, 200])
        expect((await refresh(first)).successor).to.equal(lost)
      })
    })
  }

  async function expectReuse(dialect: RefreshDialect, used: string, current: string): Promise<void> {
    for (const token of [used, current]) {
      const { status, body } = await dialect.refresh(env.signoff, token)
      expect({ status, body }).to.deep.equal({ status: 401, body: dialect.denied })
    }
    expect((await entriesOf(used)).map(({ event_type }) => event_type)).to.deep.equal(['REFRESH_REUSE'])
  }

  it('leaves the session on when a page is loaded with a token that was replaced twice', async () => {
    const [, , browser] = REFRESH_DIALECTS as [RefreshDialect, RefreshDialect, RefreshDialect]
    const first = await browser.login(env.signoff)
    const second = (await browser.refresh(env.signoff, first)).successor ?? ''
    const third = (await browser.refresh(env.signoff, second)).successor ?? ''

    const old = await readSession(first)

    expect(statusAndBody(old)).to.deep.equal({ status: 401, body: browser.denied })
    expect((await readSession(third)).status).to.equal(200)
    expect((await browser.refresh(env.signoff, third)).status).to.equal(200)
    expect(await entriesOf(first)).to.deep.equal([])
  })

  it('is counted, and told in a line of the log', async () => {
    const [tokenApi] = REFRESH_DIALECTS as [RefreshDialect]
    const first = await tokenApi.login(env.signoff)
    await tokenApi.refresh(env.signoff, first)
    await rotatedLongAgo(env.database, first)
    await tokenApi.refresh(env.signoff, first)

    const told = env.signoff.log.filter(({ sessionId }) => sessionId === claimsOf(first)['sid'])
    const metrics = await (await fetch(`${env.signoff.adminUrl}/metrics`)).text()
    expect(told.map(({ level, msg }) => ({ level, msg }))).to.deep.equal([
      { level: 'warn', msg: 'a refresh token came back late, and got its successor once more' },
    ])
    expect(metrics).to.match(/signoff_events_total\{type="REFRESH_LATE_REPLAY"\} \d/)
  })
})

describe('a refresh token of a generation that the row has lost', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment()
  })
  after(async () => {
    await env.stop()
  })

  for (const dialect of REFRESH_DIALECTS.slice(1)) {
    for (const asked of [dialect, ...REFRESH_DIALECTS.slice(0, 1)]) {
      it(`of ${dialect.name} brings the row up to it at ${asked.name}`, async () => {
        const first = await dialect.login(env.signoff)
        const second = (await dialect.refresh(env.signoff, first)).successor ?? ''
        const third = (await dialect.refresh(env.signoff, second)).successor ?? ''
        const { sid } = claimsOf(first)
        await env.database.sql('UPDATE user_sessions SET generation = 0, rotated_at = NULL WHERE id = $1', [
          sid,
        ])

        const answer = await asked.refresh(env.signoff, third)

        const [row] = await env.database.sql('SELECT generation, ended_at FROM user_sessions WHERE id = $1', [
          sid,
        ])
        expect(answer.status).to.equal(200)
        expect(claimsOf(answer.successor ?? '')).to.include({ gen: 3 })
        expect(row).to.deep.equal({ generation: 3, ended_at: null })
      })
    }
  }
})

describe('a refresh within the leeway', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment({
      REFRESH_ROTATION: 'on',
      REFRESH_TOKEN_TTL: '2',
      SESSION_MAX_AGE: '2',
      LEEWAY: '60',
    })
  })
  after(async () => {
    await env.stop()
  })

  for (const dialect of REFRESH_DIALECTS) {
    it(`is told at ${dialect.name} that the token has expired, when its session has reached its end`, async () => {
      const token = await dialect.login(env.signoff)
      const untilMs = Number(claimsOf(token)['exp']) * 1000
      await new Promise((resolve) => setTimeout(resolve, untilMs - Date.now() + 100))

      const { status, body } = await dialect.refresh(env.signoff, token)

      expect({ status, body }).to.deep.equal({ status: 401, body: dialect.expired })
    })
  }
})
