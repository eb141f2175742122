// The account at /api/v1, over TLS: reading it, a new password, its end.
import { expect } from 'chai'
import {
  claimsOf,
  eventually,
  PASSWORD,
  testEnvironment,
  type TestEnvironment,
} from '../../support/service/environment.ts'
import { runSignoff } from '../../support/service/signoff.ts'
import { guessUntilThrottled } from '../../support/service/throttled.ts'
import { expectProblem, v1Client, type V1Pair } from './v1-client.ts'

const NEW_PASSWORD = 'incorrect zebra capacitor pin'

describe('the account of /api/v1', () => {
  let env: TestEnvironment
  let username: string
  let here: V1Pair
  let elsewhere: V1Pair
  let count = 0
  const client = v1Client(() => env.signoff)

  before(async () => {
    env = await testEnvironment()
  })
  after(async () => {
    await env.stop()
  })
  beforeEach(async () => {
    username = `user-${++count}`
    await env.addUser(username)
    here = await client.login(username)
    elsewhere = await client.login(username)
  })

  const login = async (password: string) => await client.call('POST /login', { json: { username, password } })

  /** Everything of the user is refused, and login as if there had never been such a name. */
  async function expectGone(): Promise<void> {
    for (const pair of [here, elsewhere]) {
      expect(await client.accepted(pair)).to.equal('token_revoked')
      expect(await client.refreshed(pair)).to.equal('token_revoked')
    }
    const refused = await login(PASSWORD)
    const unknown = await client.call('POST /login', { json: { username: 'nobody', password: PASSWORD } })
    expectProblem(refused, 401, 'invalid_credentials')
    expect(refused.text).to.equal(unknown.text)
  }

  describe('GET me', () => {
    it('answers the account', async () => {
      const answer = await client.call('GET /me', { as: here.access_token })

      const { sub } = claimsOf(here.access_token)
      expect(answer.status).to.equal(200)
      expect(answer.json).to.deep.equal({ id: sub, username, role: 'user' })
    })

    it('answers 401 without a token, for garbage, for a refresh token, and for another scheme', async () => {
      const basic = await env.signoff.call('/api/v1/auth/me', {
        method: 'GET',
        headers: { Authorization: 'Basic YWxpY2U6eA==' },
      })

      expectProblem(await client.call('GET /me'), 401, 'token_missing')
      expectProblem(basic, 401, 'token_missing')
      for (const as of ['garbage', here.refresh_token]) {
        expectProblem(await client.call('GET /me', { as }), 401, 'token_invalid')
      }
    })

    it('asks for a live access token at every endpoint of the account', async () => {
      await client.call('POST /logout', { as: here.access_token })

      for (const endpoint of [
        'GET /me',
        'DELETE /me',
        'PUT /password',
        'GET /sessions',
        'DELETE /sessions/x',
        'GET /events',
      ]) {
        expectProblem(await client.call(endpoint), 401, 'token_missing')
        expectProblem(await client.call(endpoint, { as: here.access_token }), 401, 'token_revoked')
      }
    })
  })

  describe('PUT password', () => {
    const change = async (current_password: unknown, new_password: unknown = NEW_PASSWORD) =>
      await client.call('PUT /password', { as: here.access_token, json: { current_password, new_password } })

    it('lets the new password in and the old one no more; the other sessions are over at once', async () => {
      const answer = await change(PASSWORD)

      expect([answer.status, answer.text]).to.deep.equal([204, ''])
      expect(await client.refreshed(elsewhere)).to.equal('token_revoked')
      expect(await client.accepted(elsewhere)).to.equal('token_revoked')
      expect(await client.accepted(here)).to.equal('accepted')
      expect(await client.refreshed(here)).to.equal('refreshed')
      expectProblem(await login(PASSWORD), 401, 'invalid_credentials')
      expect((await login(NEW_PASSWORD)).status).to.equal(200)
    })

    it('answers 403 password_incorrect for a wrong current password, and changes nothing', async () => {
      expectProblem(await change('a wrong guess'), 403, 'password_incorrect')

      expect(await client.accepted(elsewhere)).to.equal('accepted')
      expect((await login(PASSWORD)).status).to.equal(200)
    })

    it('answers 422 password_too_weak with reasons, also for the username as password', async () => {
      for (const weak of ['short', username.toUpperCase(), 'password123']) {
        const answer = await change(PASSWORD, weak)
        expectProblem(answer, 422, 'password_too_weak')
        expect((answer.json as { reasons: string[] }).reasons).not.to.deep.equal([])
      }
      expect(await client.accepted(elsewhere)).to.equal('accepted')
    })

    it('answers 400 for missing fields', async () => {
      const answer = await client.call('PUT /password', { as: here.access_token, json: {} })

      expectProblem(answer, 400, 'invalid_request')
      expect((answer.json as { errors: { field: string }[] }).errors.map(({ field }) => field)).to.deep.equal(
        ['current_password', 'new_password'],
      )
    })

    it('answers 429 after ten wrong guesses, to the right password too', async () => {
      await guessUntilThrottled(env.redis, async () => await change('a wrong guess'))

      const answer = await change(PASSWORD)

      expectProblem(answer, 429, 'too_many_attempts')
      expect(Number(answer.headers['retry-after'])).to.be.within(1, 900)
    })
  })

  describe('DELETE me', () => {
    const remove = async (json: unknown) => await client.call('DELETE /me', { as: here.access_token, json })

    it('ends everything: every token and the login', async () => {
      const answer = await remove({ password: PASSWORD })

      expect([answer.status, answer.text]).to.deep.equal([204, ''])
      await expectGone()
      expectProblem(await remove({ password: PASSWORD }), 401, 'token_revoked')
    })

    it('leaves the log entries', async () => {
      await remove({ password: PASSWORD })

      const entries = await env.database.sql<{ event_type: string }>(
        'SELECT event_type FROM logs WHERE user_id = $1 ORDER BY id DESC LIMIT 1',
        [claimsOf(here.access_token)['sub']],
      )
      expect(entries).to.deep.equal([{ event_type: 'USER_DELETED' }])
    })

    it('answers 403 for a wrong password and 400 for none, and deletes nothing', async () => {
      expectProblem(await remove({ password: 'a wrong guess' }), 403, 'password_incorrect')
      expectProblem(await remove(undefined), 400, 'invalid_request')

      expect(await client.accepted(here)).to.equal('accepted')
    })
  })

  describe('a user who was disabled', () => {
    it('is refused everywhere, and at login like nobody', async () => {
      const { status } = await runSignoff(['user', 'disable', username], {
        env: { DATABASE_URL: env.database.url },
      })

      expect(status).to.equal(0)
      // The operator’s command has no Redis: the relay carries the denials there.
      for (const pair of [here, elsewhere]) {
        await eventually(async () => (await client.accepted(pair)) === 'token_revoked')
      }
      await expectGone()
    })
  })
})
