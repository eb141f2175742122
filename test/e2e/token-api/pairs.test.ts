// The good path of the token API: what each endpoint answers, and what a logout leaves behind.
import { expect } from 'chai'
import {
  claimsOf,
  PASSWORD,
  statusAndBody,
  testEnvironment,
  type TestEnvironment,
} from '../../support/service/environment.ts'

describe('the token API', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment()
  })
  after(async () => {
    await env.stop()
  })

  describe('under the paths of SimpleJWT’s guide', () => {
    for (const slash of ['/', '']) {
      it(`takes a pair from login to its end, ${slash ? 'with' : 'without'} the trailing slash`, async () => {
        const at = async (path: string, json: object) =>
          await env.signoff.post(`/api/token${path}${slash}`, json)

        const login = await at('', { username: 'alice', password: PASSWORD })
        const { access, refresh } = login.json as { access: string; refresh: string }
        const refreshed = await at('/refresh', { refresh })
        const verified = await at('/verify', { token: access })
        const ended = await at('/blacklist', { refresh })
        const elsewhere = await env.signoff.post('/auth/token/verify/', { token: access })

        expect([login.status, refreshed.status]).to.deep.equal([200, 200])
        expect(Object.keys(refreshed.json as object)).to.deep.equal(['access'])
        expect([verified, ended].map(statusAndBody)).to.deep.equal([
          { status: 200, body: {} },
          { status: 200, body: {} },
        ])
        expect(elsewhere.status).to.equal(401)
      })
    }
  })

  describe('POST /auth/login/', () => {
    it('answers a pair of one session, not to be stored', async () => {
      const answer = await env.signoff.post('/auth/login/', { username: 'alice', password: PASSWORD })

      const pair = answer.json as { access: string; refresh: string }
      expect(answer.status).to.equal(200)
      expect(pair).to.have.all.keys('access', 'refresh')
      expect(answer.headers['cache-control']).to.equal('no-store')
      expect(claimsOf(pair.access)['sid']).to.equal(claimsOf(pair.refresh)['sid'])
    })

    it('puts into the access token what RFC 9068 and SimpleJWT peers look for', async () => {
      const { access } = await env.login()

      const claims = claimsOf(access)
      expect(claims).to.have.all.keys([
        'iss',
        'aud',
        'sub',
        'jti',
        'sid',
        'iat',
        'exp',
        'client_id',
        'scope',
        'token_type',
        'user_id',
      ])
      expect(claims).to.include({ iss: 'https://localhost:8443', aud: 'signoff', token_type: 'access' })
      expect(claims['user_id']).to.equal(claims['sub'])
      expect(Number(claims['exp']) - Number(claims['iat'])).to.equal(300)
    })

    it('lets the refresh token live a day, for an audience of its own', async () => {
      const { refresh } = await env.login()

      const claims = claimsOf(refresh)
      expect(claims).to.include({ token_type: 'refresh', aud: 'https://localhost:8443/auth/token/refresh/' })
      expect(Number(claims['exp']) - Number(claims['iat'])).to.equal(86_400)
    })

    it('trims the username and compares it without case', async () => {
      const answer = await env.signoff.post('/auth/login/', { username: '  ALICE ', password: PASSWORD })

      expect(answer.status).to.equal(200)
    })

    it('compares the username whatever the width of its characters, and however its accents are spelt', async () => {
      await env.addUser('jos\u00e9')

      for (const username of ['JOSE\u0301', 'ｊｏｓ\u00e9', '\u3000Jos\u00c9']) {
        const answer = await env.signoff.post('/auth/login/', { username, password: PASSWORD })
        expect(answer.status, username).to.equal(200)
      }
    })

    it('never alters the password', async () => {
      await env.addUser('spaced', '  two spaces around  ')

      const exact = await env.signoff.post('/auth/login/', {
        username: 'spaced',
        password: '  two spaces around  ',
      })
      const trimmed = await env.signoff.post('/auth/login/', {
        username: 'spaced',
        password: 'two spaces around',
      })

      expect([exact.status, trimmed.status]).to.deep.equal([200, 401])
    })

    it('takes a number as its decimal text', async () => {
      await env.addUser('12345', '9071526384')

      const answer = await env.signoff.post('/auth/login/', { username: 12345, password: 9071526384 })

      expect(answer.status).to.equal(200)
    })

    it('takes a password of 4,096 bytes whole', async () => {
      const password = 'é'.repeat(2048)
      await env.addUser('long', password)

      const whole = await env.signoff.post('/auth/login/', { username: 'long', password })
      const cut = await env.signoff.post('/auth/login/', {
        username: 'long',
        password: password.slice(0, -1),
      })

      expect([whole.status, cut.status]).to.deep.equal([200, 401])
    })

    it('writes the session, its refresh id hashed, and a log entry', async () => {
      const { refresh } = await env.login()
      const { sid, jti } = claimsOf(refresh)

      const [session] = await env.database.sql<{ hash: string; ip_address: string }>(
        `SELECT encode(refresh_jti_hash, 'hex') AS hash, ip_address FROM user_sessions WHERE id = $1`,
        [sid],
      )
      const entries = await env.database.sql(`SELECT event_type FROM logs WHERE session_id = $1`, [sid])

      expect(session?.hash)
        .to.match(/^[0-9a-f]{64}$/)
        .and.not.contain(String(jti))
      expect(session?.ip_address).to.equal('127.0.0.1')
      expect(entries).to.deep.equal([{ event_type: 'USER_LOGIN' }])
    })

    it('rehashes a password whose hash has older parameters', async () => {
      await env.addUser('veteran')
      const { hash } = await import('@node-rs/argon2')
      const old = await hash(PASSWORD, { memoryCost: 8192, timeCost: 1, parallelism: 1 })
      await env.database.sql(`UPDATE users SET password_hash = $1 WHERE username = 'veteran'`, [old])

      await env.login('veteran')
      await env.login('veteran')

      const [user] = await env.database.sql<{ password_hash: string }>(
        `SELECT password_hash FROM users WHERE username = 'veteran'`,
      )
      expect(user?.password_hash).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    })
  })

  describe('media types', () => {
    const login = { username: 'alice', password: PASSWORD }

    it('takes a form', async () => {
      const answer = await env.signoff.call('/auth/login/', {
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(login).toString(),
      })

      expect(answer.status).to.equal(200)
    })

    it('takes multipart/form-data', async () => {
      const form = ['username', 'password'].map(
        (name) =>
          `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${login[name as 'username']}\r\n`,
      )

      const answer = await env.signoff.call('/auth/login/', {
        headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
        body: `${form.join('')}--b--\r\n`,
      })

      expect(answer.status).to.equal(200)
    })

    it('takes JSON in any key order, with fields it does not know, whatever Authorization says', async () => {
      const answer = await env.signoff.call('/auth/login/', {
        json: { extra: [1], password: PASSWORD, username: 'alice' },
        headers: { Authorization: 'Bearer nonsense' },
      })

      expect(answer.status).to.equal(200)
    })
  })

  describe('POST /auth/token/refresh/', () => {
    it('answers a new access token of the same session and nothing else', async () => {
      const { refresh, access } = await env.login()

      const answer = await env.signoff.post('/auth/token/refresh/', { refresh })

      const fresh = answer.json as { access: string }
      expect(answer.status).to.equal(200)
      expect(fresh).to.have.all.keys('access')
      expect(claimsOf(fresh.access)['sid']).to.equal(claimsOf(access)['sid'])
      expect(claimsOf(fresh.access)['jti']).to.not.equal(claimsOf(access)['jti'])
    })
  })

  describe('POST /auth/token/verify/', () => {
    it('answers {} for either kind, and refuses both after the logout', async () => {
      const { refresh, access } = await env.login()

      const before = await Promise.all(
        [refresh, access].map((token) => env.signoff.post('/auth/token/verify/', { token })),
      )
      await env.signoff.post('/auth/logout/', { refresh_token: refresh })
      const after = await Promise.all(
        [refresh, access].map((token) => env.signoff.post('/auth/token/verify/', { token })),
      )

      const denied = { status: 401, body: { detail: 'Token is blacklisted', code: 'token_not_valid' } }
      expect(before.map(statusAndBody)).to.deep.equal([
        { status: 200, body: {} },
        { status: 200, body: {} },
      ])
      expect(after.map(statusAndBody)).to.deep.equal([denied, denied])
    })
  })

  describe('POST /auth/token/blacklist/', () => {
    it('ends the session, once', async () => {
      const { refresh } = await env.login()

      const first = await env.signoff.post('/auth/token/blacklist/', { refresh })
      const second = await env.signoff.post('/auth/token/blacklist/', { refresh })
      const refreshed = await env.signoff.post('/auth/token/refresh/', { refresh })

      expect(statusAndBody(first)).to.deep.equal({ status: 200, body: {} })
      for (const answer of [second, refreshed]) {
        expect(statusAndBody(answer)).to.deep.equal({
          status: 401,
          body: { detail: 'Token is blacklisted', code: 'token_not_valid' },
        })
      }
    })
  })

  describe('POST /auth/logout/', () => {
    it('ends the session for good: refresh and a second logout are refused', async () => {
      const { refresh } = await env.login()

      const first = await env.signoff.post('/auth/logout/', { refresh_token: refresh })
      const refreshed = await env.signoff.post('/auth/token/refresh/', { refresh })
      const second = await env.signoff.post('/auth/logout/', { refresh_token: refresh })

      expect(statusAndBody(first)).to.deep.equal({
        status: 200,
        body: { message: 'Logged out successfully' },
      })
      expect(statusAndBody(refreshed)).to.deep.equal({
        status: 401,
        body: { detail: 'Token is blacklisted', code: 'token_not_valid' },
      })
      expect(statusAndBody(second)).to.deep.equal({
        status: 401,
        body: { error: 'Token is invalid or already blacklisted' },
      })
    })

    it('takes the token under the name "refresh" too', async () => {
      const { refresh } = await env.login()

      const answer = await env.signoff.post('/auth/logout/', { refresh })

      expect(answer.status).to.equal(200)
    })

    it('leaves other sessions of the same user alone', async () => {
      const [here, elsewhere] = await Promise.all([env.login(), env.login()])

      await env.signoff.post('/auth/logout/', { refresh_token: here.refresh })

      const answer = await env.signoff.post('/auth/token/refresh/', { refresh: elsewhere.refresh })
      expect(answer.status).to.equal(200)
    })

    it('has one winner when 20 ask at once', async () => {
      const { refresh } = await env.login()

      const answers = await Promise.all(
        Array.from({ length: 20 }, () => env.signoff.post('/auth/logout/', { refresh_token: refresh })),
      )

      const statuses = answers.map(({ status }) => status).sort()
      expect(statuses).to.deep.equal([200, ...Array.from({ length: 19 }, () => 401)])
    })

    it('leaves the denial in Redis for the rest of the refresh token and twice the leeway more', async () => {
      const { refresh } = await env.login()
      const { sid, exp } = claimsOf(refresh) as { sid: string; exp: number }

      await env.signoff.post('/auth/logout/', { refresh_token: refresh })

      const ttlMs = await env.redis.client.pttl(`denylist:{${sid.slice(-2)}}:${sid}`)
      expect(ttlMs).to.be.closeTo((exp + 10) * 1000 - Date.now(), 1500)
    })

    it('leaves the end, the journal row and the log entry in Postgres', async () => {
      const { refresh } = await env.login()
      const { sid, exp } = claimsOf(refresh) as { sid: string; exp: number }

      await env.signoff.post('/auth/logout/', { refresh_token: refresh })

      const rows = await env.database.sql(
        `SELECT s.end_reason, r.reason, r.partition, extract(epoch FROM r.expires_at)::int AS until, l.event_type
         FROM user_sessions s JOIN revocations r ON r.denied_id = s.id::text
         JOIN logs l ON l.session_id = s.id AND l.event_type = 'USER_LOGOUT'
         WHERE s.id = $1 AND s.ended_at IS NOT NULL`,
        [sid],
      )
      expect(rows).to.deep.equal([
        {
          end_reason: 'logout',
          reason: 'logout',
          partition: sid.slice(-2),
          until: exp + 10,
          event_type: 'USER_LOGOUT',
        },
      ])
    })
  })
})
