// POST /api/v1/auth/logout over TLS: by Bearer token, by refresh token, of all devices.
import { expect } from 'chai'
import { claimsOf, testEnvironment, type TestEnvironment } from '../../support/service/environment.ts'
import type { Answer } from '../../support/service/signoff.ts'
import { expectProblem, sidOf, v1Client, type V1Pair, type V1Request } from './v1-client.ts'

describe('POST /api/v1/auth/logout', () => {
  let env: TestEnvironment
  let here: V1Pair
  let elsewhere: V1Pair
  const client = v1Client(() => env.signoff)

  before(async () => {
    env = await testEnvironment()
    await env.addUser('bob')
  })
  after(async () => {
    await env.stop()
  })
  beforeEach(async () => {
    here = await client.login()
    elsewhere = await client.login()
  })

  const logout = async (request: V1Request) => await client.call('POST /logout', request)
  const expectDone = ({ status, text }: Answer) => {
    expect([status, text]).to.deep.equal([204, ''])
  }

  it('ends the session of the Bearer token, both tokens of it, and no other', async () => {
    expectDone(await logout({ as: here.access_token }))

    expect(await client.accepted(here)).to.equal('token_revoked')
    expect(await client.refreshed(here)).to.equal('token_revoked')
    expect(await client.accepted(elsewhere)).to.equal('accepted')
    expect(await client.refreshed(elsewhere)).to.equal('refreshed')
  })

  it('answers 204 when the session was over already, with one log entry in all', async () => {
    expectDone(await logout({ as: here.access_token }))
    expectDone(await logout({ as: here.access_token, json: {} }))

    const entries = await env.database.sql(
      `SELECT event_type FROM logs WHERE session_id = $1 AND event_type = 'USER_LOGOUT'`,
      [sidOf(here)],
    )
    expect(entries).to.have.length(1)
  })

  it('ends the session of the refresh token instead, where there is one', async () => {
    const { refresh_token } = elsewhere
    expectDone(await logout({ as: here.access_token, json: { refresh_token } }))
    expectDone(await logout({ as: here.access_token, json: { refresh_token } }))

    expect(await client.accepted(elsewhere)).to.equal('token_revoked')
    expect(await client.accepted(here)).to.equal('accepted')
  })

  it('answers 401 for the refresh token of another user, and ends nothing', async () => {
    const bob = await client.login('bob')

    const answer = await logout({ as: here.access_token, json: { refresh_token: bob.refresh_token } })

    expectProblem(answer, 401, 'token_invalid')
    expect(await client.accepted(bob)).to.equal('accepted')
    expect(await client.accepted(here)).to.equal('accepted')
  })

  it('answers 401 for a bad refresh token, whatever the Bearer token', async () => {
    for (const refresh_token of ['garbage', elsewhere.access_token]) {
      const answer = await logout({ as: here.access_token, json: { refresh_token } })
      expectProblem(answer, 401, 'token_invalid')
    }
    expect(await client.accepted(here)).to.equal('accepted')
  })

  it('takes a refresh token alone, or beside a Bearer token that is no good', async () => {
    expectDone(await logout({ json: { refresh_token: here.refresh_token } }))
    expectDone(await logout({ json: { refresh_token: here.refresh_token } }))
    expectDone(await logout({ as: 'garbage', json: { refresh_token: elsewhere.refresh_token } }))

    expect(await client.accepted(here)).to.equal('token_revoked')
    expect(await client.accepted(elsewhere)).to.equal('token_revoked')
  })

  it('answers 401 token_missing without either, and token_invalid for a bad Bearer token', async () => {
    expectProblem(await logout({}), 401, 'token_missing')
    expectProblem(await logout({ json: { all_devices: true } }), 401, 'token_missing')
    for (const as of ['garbage', here.refresh_token])
      expectProblem(await logout({ as }), 401, 'token_invalid')
  })

  it('answers 400 for what it does not understand, and ends nothing', async () => {
    for (const json of [
      { all_devices: 'yes' },
      { all_devices: null },
      { refresh_token: 7 },
      { refresh_token: ' ' },
    ]) {
      expectProblem(await logout({ as: here.access_token, json }), 400, 'invalid_request')
    }
    expect(await client.accepted(here)).to.equal('accepted')
  })

  describe('with all_devices', () => {
    const json = { all_devices: true }

    it('ends every session of the user, of every dialect, and nobody else’s', async () => {
      const bob = await client.login('bob')
      const tokenApi = await env.login()

      expectDone(await logout({ as: here.access_token, json }))

      const { status } = await env.signoff.post('/auth/token/refresh/', { refresh: tokenApi.refresh })
      expect(status).to.equal(401)
      for (const pair of [here, elsewhere]) {
        expect(await client.accepted(pair)).to.equal('token_revoked')
        expect(await client.refreshed(pair)).to.equal('token_revoked')
      }
      expect(await client.accepted(bob)).to.equal('accepted')
    })

    it('takes a refresh token alone', async () => {
      expectDone(await logout({ json: { ...json, refresh_token: here.refresh_token } }))

      expect(await client.accepted(elsewhere)).to.equal('token_revoked')
    })

    it('ends one session only when it is false', async () => {
      expectDone(await logout({ as: here.access_token, json: { all_devices: false } }))

      expect(await client.accepted(elsewhere)).to.equal('accepted')
    })

    it('is refused to a session that is over while others are on, and answers 204 once none is', async () => {
      await logout({ as: here.access_token })

      expectProblem(await logout({ as: here.access_token, json }), 401, 'token_revoked')
      expect(await client.accepted(elsewhere)).to.equal('accepted')
      expectDone(await logout({ as: elsewhere.access_token, json }))
      expectDone(await logout({ as: here.access_token, json }))
    })
  })

  it('answers 204 to all of 20 who ask at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => logout({ as: here.access_token })))

    expect(answers.map(({ status }) => status)).to.deep.equal(Array.from({ length: 20 }, () => 204))
    const denied = await env.redis.client.exists(`denylist:{${sidOf(here).slice(-2)}}:${sidOf(here)}`)
    expect(denied).to.equal(1)
  })

  it('answers 401 token_expired for an access token whose time is over, unless a refresh token stands in', async () => {
    const short = await testEnvironment({ ACCESS_TOKEN_TTL: '1', LEEWAY: '0' })
    try {
      const other = v1Client(() => short.signoff)
      const pair = await other.login()
      const untilMs = Number(claimsOf(pair.access_token)['exp']) * 1000
      await new Promise((resolve) => setTimeout(resolve, untilMs - Date.now() + 50))

      expectProblem(await other.call('POST /logout', { as: pair.access_token }), 401, 'token_expired')
      const { access_token: as, refresh_token } = pair
      expectDone(await other.call('POST /logout', { as, json: { refresh_token } }))
    } finally {
      await short.stop()
    }
  })
})
