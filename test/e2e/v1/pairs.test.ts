// Register, login and refresh of /api/v1, over TLS.
import { expect } from 'chai'
import { Client } from 'pg'
import {
  claimsOf,
  PASSWORD,
  testEnvironment,
  type TestEnvironment,
} from '../../support/service/environment.ts'
import { rotatedLongAgo } from '../../support/service/rotated-long-ago.ts'
import { guessUntilThrottled } from '../../support/service/throttled.ts'
import { expectProblem, sidOf, v1Client, type V1Pair } from './v1-client.ts'

describe('pairs of /api/v1', () => {
  let env: TestEnvironment
  const client = v1Client(() => env.signoff)

  before(async () => {
    env = await testEnvironment({ REGISTRATION: 'open', ROTATION_GRACE: '300' })
  })
  after(async () => {
    await env.stop()
  })

  describe('POST register', () => {
    const register = async (username: string, password = PASSWORD) =>
      await client.call('POST /register', { json: { username, password } })

    it('answers 201 with the user and a pair, of a session that is on', async () => {
      const answer = await register('  Bob ')

      const { user, ...pair } = answer.json as V1Pair & { user: object }
      expect(answer.status).to.equal(201)
      expect(answer.headers['cache-control']).to.equal('no-store')
      expect(user).to.deep.equal({ id: claimsOf(pair.access_token)['sub'], username: 'Bob', role: 'user' })
      expect(pair).to.have.all.keys('access_token', 'refresh_token', 'token_type', 'expires_in')
      expect(await client.accepted(pair)).to.equal('accepted')
      expect(await client.refreshed(pair)).to.equal('refreshed')
      await client.login('bob')
    })

    it('writes the log entries of both', async () => {
      const answer = await register('carol')

      const sid = sidOf(answer.json as V1Pair)
      const entries = await env.database.sql<{ event_type: string; session_id: string | null }>(
        `SELECT event_type, session_id FROM logs
         WHERE user_id = (SELECT id FROM users WHERE username = 'carol') ORDER BY id`,
      )
      expect(entries).to.deep.equal([
        { event_type: 'USER_ADDED', session_id: null },
        { event_type: 'USER_LOGIN', session_id: sid },
      ])
    })

    it('answers 409 username_taken, whatever the case', async () => {
      expectProblem(await register('ALICE'), 409, 'username_taken')
    })

    const weak = [
      { what: 'short', password: 'a1b2c3d', reason: /shorter than 8/ },
      { what: 'too long', password: 'é'.repeat(2049), reason: /longer than 4096 bytes/ },
      { what: 'the username', password: 'Dave-the-2nd', reason: /same as the username/ },
      { what: 'common', password: 'password123', reason: /most common/ },
    ]
    for (const { what, password, reason } of weak) {
      it(`answers 422 password_too_weak with the reason for a password that is ${what}`, async () => {
        const answer = await register('dave-the-2nd', password)

        const { reasons } = answer.json as { reasons: string[] }
        expectProblem(answer, 422, 'password_too_weak')
        expect(reasons).to.have.length(1)
        expect(reasons[0]).to.match(reason)
      })
    }

    it('answers 422 username_invalid with the reason', async () => {
      const answer = await register('x'.repeat(151))

      expectProblem(answer, 422, 'username_invalid')
      expect((answer.json as { reasons: string[] }).reasons).to.deep.equal([
        'A username has 1 to 150 characters.',
      ])
    })

    it('refuses a name that is taken in another spelling, or that looks like none', async () => {
      await register('erika')

      expectProblem(await register('ＥＲＩＫＡ'), 409, 'username_taken')
      for (const username of ['erik\u0430', 'eri\u200bka', 'erika\ue000', 'erika\u0378', '\u{1D41E}rika']) {
        expectProblem(await register(username), 422, 'username_invalid')
      }
    })

    it('is not there unless registration is open', async () => {
      const closed = await testEnvironment()
      try {
        const answer = await v1Client(() => closed.signoff).call('POST /register', {
          json: { username: 'bob', password: PASSWORD },
        })
        expectProblem(answer, 404, 'not_found')
      } finally {
        await closed.stop()
      }
    })
  })

  describe('POST login', () => {
    it('answers a pair that rotates', async () => {
      const answer = await client.call('POST /login', { json: { username: ' Alice ', password: PASSWORD } })

      const pair = answer.json as V1Pair
      expect(answer.status).to.equal(200)
      expect(answer.headers['cache-control']).to.equal('no-store')
      expect(pair).to.have.all.keys('access_token', 'refresh_token', 'token_type', 'expires_in')
      expect(pair).to.include({ token_type: 'Bearer', expires_in: 300 })
      expect(claimsOf(pair.refresh_token)).to.include({ sid: sidOf(pair), gen: 0 })
    })

    it('answers 401 invalid_credentials alike for wrong password, unknown and disabled user', async () => {
      await env.addUser('asleep')
      await env.database.sql(`UPDATE users SET is_active = false WHERE username = 'asleep'`)
      const attempts = [
        { username: 'alice', password: 'a wrong guess' },
        { username: 'nobody', password: PASSWORD },
        { username: 'asleep', password: PASSWORD },
      ]

      const answers = await Promise.all(attempts.map((json) => client.call('POST /login', { json })))

      for (const answer of answers) expectProblem(answer, 401, 'invalid_credentials')
      expect(new Set(answers.map(({ text }) => text)).size).to.equal(1)
    })

    it('answers 429 too_many_attempts with Retry-After, alike for known and unknown users', async () => {
      await env.addUser('guessed')
      for (const username of ['guessed', 'nobody-at-all']) {
        const guess = { json: { username, password: 'a wrong guess' } }
        await guessUntilThrottled(env.redis, async () => await client.call('POST /login', guess))
        const answer = await client.call('POST /login', { json: { username, password: PASSWORD } })

        expectProblem(answer, 429, 'too_many_attempts')
        expect(Number(answer.headers['retry-after'])).to.be.within(1, 900)
      }
    })
  })

  describe('POST refresh', () => {
    it('answers the next pair of the session', async () => {
      const first = await client.login()

      const answer = await client.call('POST /refresh', { json: { refresh_token: first.refresh_token } })

      const second = answer.json as V1Pair
      expect(answer.status).to.equal(200)
      expect(second).to.have.all.keys('access_token', 'refresh_token', 'token_type', 'expires_in')
      expect(claimsOf(second.refresh_token)).to.include({ sid: sidOf(first), gen: 1 })
      expect(await client.refreshed(second)).to.equal('refreshed')
    })

    it('ends the session when a token is used again after the grace, and its successor has arrived', async () => {
      const first = await client.login()
      const answer = await client.call('POST /refresh', { json: { refresh_token: first.refresh_token } })
      await env.signoff.post('/auth/token/verify/', { token: (answer.json as V1Pair).refresh_token })
      await rotatedLongAgo(env.database, first.refresh_token)

      expect(await client.refreshed(first)).to.equal('token_revoked')
      expect(await client.refreshed(answer.json as V1Pair)).to.equal('token_revoked')
    })

    it('answers 401 token_invalid for garbage and for an access token', async () => {
      const { access_token } = await client.login()

      for (const refresh_token of ['garbage', access_token]) {
        expectProblem(await client.call('POST /refresh', { json: { refresh_token } }), 401, 'token_invalid')
      }
    })
  })

  describe('what is no request', () => {
    const invalid = [
      { what: 'no body', json: undefined, fields: ['username', 'password'] },
      { what: 'a missing field', json: { username: 'alice' }, fields: ['password'] },
      { what: 'a number', json: { username: 1, password: PASSWORD }, fields: ['username'] },
      { what: 'a NUL', json: { username: 'a\0', password: PASSWORD }, fields: ['username'] },
      { what: 'a list', json: [], fields: ['body'] },
    ]
    for (const { what, json, fields } of invalid) {
      it(`is answered 400 invalid_request with the fields: ${what}`, async () => {
        const answer = await client.call('POST /login', { json })

        const { errors } = answer.json as { errors: { field: string; message: string }[] }
        expectProblem(answer, 400, 'invalid_request')
        expect(errors.map(({ field }) => field)).to.deep.equal(fields)
        for (const { message } of errors) expect(message).not.to.equal('')
      })
    }

    const send = async (body: string, contentType: string) =>
      await env.signoff.call('/api/v1/auth/login', { body, headers: { 'Content-Type': contentType } })

    it('is answered 400 for malformed JSON, without a word of it', async () => {
      const answer = await send('{"password":"secret', 'application/json')

      expectProblem(answer, 400, 'invalid_request')
      expect(answer.text).not.to.include('secret')
    })

    it('is answered 413, 415, 405 and 404 as problems too', async () => {
      const wrongMethod = await client.call('GET /login')

      expectProblem(
        await send(JSON.stringify({ a: 'x'.repeat(16_384) }), 'application/json'),
        413,
        'body_too_large',
      )
      expectProblem(await send('username=alice', 'text/plain'), 415, 'unsupported_media_type')
      expectProblem(wrongMethod, 405, 'method_not_allowed')
      expect(wrongMethod.headers['allow']).to.equal('POST, OPTIONS')
      for (const path of ['/nowhere', '/login/more', '']) {
        const { status, json } = await client.call(`GET ${path}`)
        expect({ status, code: (json as { code: string }).code }, path).to.deep.equal({
          status: 404,
          code: 'not_found',
        })
      }
    })

    it('is answered 503 with Retry-After while Postgres does not answer in time', async () => {
      const other = new Client({ connectionString: env.database.url })
      await other.connect()
      await other.query('BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE')

      const json = { username: 'alice', password: PASSWORD }
      const answer = await env.firstAnswers.post('/api/v1/auth/login', json)
      await other.end()

      expectProblem(answer, 503, 'unavailable')
      expect(answer.headers['retry-after']).to.equal('1')
    })
  })
})
