// POST /logout row by row: our access tokens, and those of other login services.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { SignJWT } from 'jose'
import {
  FOREIGN_AUDIENCE,
  FOREIGN_ISSUER,
  issuedClaims,
  issuedToken,
  issuerKey,
  type IssuerKey,
} from '../../support/builders/foreign-issuer.ts'
import { statusAndBody, testEnvironment, type TestEnvironment } from '../../support/service/environment.ts'
import { epochNow, forge } from '../../support/clients/forge.ts'
import { jwksServer, type JwksServer } from '../../support/servers/jwks-server.ts'
import type { Answer } from '../../support/service/signoff.ts'

const SECRET_KEY = 'what the old login service and we share, at least 32 bytes'
const DONE = { status: 200, body: { message: 'Logout successful.' } }
const MISSING = { status: 401, body: { error: 'Token missing or invalid' } }
const EXPIRED = { status: 401, body: { error: 'Token expired' } }
const INVALID = { status: 401, body: { error: 'Invalid token' } }

describe('POST /logout', () => {
  let env: TestEnvironment
  let issuer: JwksServer
  let oldKey: IssuerKey
  let directory: string

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signoff-issuers-'))
    oldKey = await issuerKey('old')
    issuer = await jwksServer([oldKey.jwk])
    const file = join(directory, 'issuers.json')
    const issuers = [{ issuer: FOREIGN_ISSUER, audience: FOREIGN_AUDIENCE, jwks_url: issuer.url.href }]
    await writeFile(file, JSON.stringify({ issuers }))
    env = await testEnvironment({ SECRET_KEY, TRUSTED_ISSUERS: file })
  })
  after(async () => {
    await env.stop()
    await issuer.stop()
    await rm(directory, { recursive: true })
  })

  const withHeader = async (authorization?: string): Promise<Answer> =>
    await env.signoff.call('/logout', {
      headers: authorization === undefined ? {} : { Authorization: authorization },
    })
  const logout = async (token: string): Promise<Answer> => await withHeader(`Bearer ${token}`)
  const forged = () => forge(env.signoff.files)

  /** Signed outside the service, as its old neighbour would. */
  const shared = async (claims: Record<string, unknown>, secret = SECRET_KEY): Promise<string> =>
    await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(new TextEncoder().encode(secret))

  describe('with a token of ours', () => {
    it('ends the session behind it: every token of it is refused from then on', async () => {
      const { access, refresh } = await env.login()

      const answer = await logout(access)

      expect(statusAndBody(answer)).to.deep.equal(DONE)
      expect(answer.headers['cache-control']).to.equal('no-store')
      const refreshed = await env.signoff.post('/auth/token/refresh/', { refresh })
      const verified = await env.signoff.post('/auth/token/verify/', { token: access })
      expect([refreshed.status, verified.status]).to.deep.equal([401, 401])
    })

    it('takes the scheme in any case, and the path with a trailing slash', async () => {
      const [one, two, three] = [await env.login(), await env.login(), await env.login()]

      const answers = [
        await withHeader(`bearer ${one.access}`),
        await withHeader(`BEARER ${two.access}`),
        await env.signoff.call('/logout/', { headers: { Authorization: `Bearer ${three.access}` } }),
      ]

      expect(answers.map(statusAndBody)).to.deep.equal([DONE, DONE, DONE])
    })

    it('says that a token is invalid once its session is over, however that came', async () => {
      const [twice, elsewhere] = [await env.login(), await env.login()]
      await logout(twice.access)
      await env.signoff.post('/auth/logout/', { refresh_token: elsewhere.refresh })

      expect(statusAndBody(await logout(twice.access))).to.deep.equal(INVALID)
      expect(statusAndBody(await logout(elsewhere.access))).to.deep.equal(INVALID)
    })

    it('lets one of ten racing callers win', async () => {
      const { access } = await env.login()

      const answers = await Promise.all(Array.from({ length: 10 }, () => logout(access)))

      expect(answers.filter(({ status }) => status === 200)).to.have.length(1)
      expect(answers.filter(({ status }) => status === 401)).to.have.length(9)
    })

    it('refuses a refresh token', async () => {
      const { refresh } = await env.login()

      expect(statusAndBody(await logout(refresh))).to.deep.equal(INVALID)
      expect((await env.signoff.post('/auth/token/refresh/', { refresh })).status).to.equal(200)
    })

    it('tells an expired token from a forged one', async () => {
      const past = { iat: epochNow() - 600, exp: epochNow() - 300 }

      expect(statusAndBody(await logout(forged().access(past)))).to.deep.equal(EXPIRED)
      expect(statusAndBody(await logout(`${forged().access(past).slice(0, -8)}AAAAAAAA`))).to.deep.equal(
        INVALID,
      )
    })
  })

  for (const [what, authorization] of [
    ['no header', undefined],
    ['another scheme', 'Basic YWxpY2U6c2VjcmV0'],
    ['the scheme alone', 'Bearer'],
    ['the scheme and spaces', 'Bearer   '],
    ['the token without a scheme', 'eyJhbGciOiJIUzI1NiJ9.e30.AAAA'],
    ['more than two parts', 'Bearer one two'],
    ['an empty header', ''],
  ] as const) {
    it(`answers "Token missing or invalid" to ${what}`, async () => {
      const answer = await withHeader(authorization)

      expect(statusAndBody(answer)).to.deep.equal(MISSING)
      expect(answer.headers['www-authenticate']).to.match(/^Bearer/)
    })
  }

  for (const garbage of ['x', 'a.b.c', '..', `${'x'.repeat(6000)}.y.z`, 'eyJhbGciOiJub25lIn0.e30.']) {
    it(`answers "Invalid token" to ${garbage.slice(0, 40)}`, async () => {
      expect(statusAndBody(await logout(garbage))).to.deep.equal(INVALID)
    })
  }

  it('answers 405 to another method', async () => {
    const answer = await env.signoff.call('/logout', { method: 'GET' })

    expect(statusAndBody(answer)).to.deep.equal({ status: 405, body: { error: 'Method not allowed' } })
    expect(answer.headers['allow']).to.equal('POST, OPTIONS')
  })

  describe('with a token under SECRET_KEY', () => {
    const claims = (changes: Record<string, unknown> = {}) => ({
      user_id: 42,
      jti: randomUUID(),
      exp: epochNow() + 60,
      ...changes,
    })

    it('denies it once, and says "Invalid token" after that', async () => {
      const token = await shared(claims())

      expect(statusAndBody(await logout(token))).to.deep.equal(DONE)
      expect(statusAndBody(await logout(token))).to.deep.equal(INVALID)
    })

    it('does the same without a jti, and leaves another token of the same user alone', async () => {
      const [one, two] = [
        await shared(claims({ jti: undefined })),
        await shared(claims({ jti: undefined, nonce: 2 })),
      ]

      expect(statusAndBody(await logout(one))).to.deep.equal(DONE)
      expect(statusAndBody(await logout(one))).to.deep.equal(INVALID)
      expect(statusAndBody(await logout(two))).to.deep.equal(DONE)
    })

    it('puts it on the denylist and into the journal until it has expired, with an entry', async () => {
      await logout(await shared(claims({ exp: epochNow() + 100 })))

      const [row] = await env.database.sql<{ id: string; seconds: number }>(
        `SELECT denied_id AS id, extract(epoch FROM expires_at - now())::float8 AS seconds
         FROM revocations ORDER BY seq DESC LIMIT 1`,
      )
      const id = row?.id ?? ''
      expect(id).to.match(/^[0-9a-f]{64}$/)
      expect(row?.seconds).to.be.closeTo(110, 2)
      expect(await env.redis.client.ttl(`denylist:{${id.slice(-2)}}:${id}`)).to.be.closeTo(110, 2)
      const [entry] = await env.database.sql('SELECT event_type, message FROM logs ORDER BY id DESC LIMIT 1')
      expect(entry).to.deep.equal({ event_type: 'USER_LOGOUT', message: 'a token of another service' })
    })

    it('tells expired from invalid, and refuses other secrets and tokens without an end', async () => {
      expect(statusAndBody(await logout(await shared(claims({ exp: epochNow() - 60 }))))).to.deep.equal(
        EXPIRED,
      )
      const other = await shared(claims(), 'another secret of at least 32 bytes, it is')
      expect(statusAndBody(await logout(other))).to.deep.equal(INVALID)
      expect(statusAndBody(await logout(await shared(claims({ exp: undefined }))))).to.deep.equal(INVALID)
    })

    it('denies none for a part of its life: one that lives too long is "Invalid token", and the log has why', async () => {
      const denied = async () => (await env.database.sql('SELECT 1 FROM revocations')).length
      const before = await denied()
      const month = 31 * 86_400

      for (const exp of [epochNow() + month + 60, 253_402_300_799, undefined]) {
        expect(statusAndBody(await logout(await shared(claims({ exp }))))).to.deep.equal(INVALID)
      }

      expect(await denied()).to.equal(before)
      const reasons = env.signoff.log.filter(({ msg }) => String(msg).includes('FOREIGN_TOKEN_MAX_AGE'))
      expect(reasons).to.have.length(1)
      expect(statusAndBody(await logout(await shared(claims({ exp: epochNow() + month }))))).to.deep.equal(
        DONE,
      )
    })

    it('never takes one for a token of ours', async () => {
      const { access } = await env.login()
      const [, payload = ''] = access.split('.')
      const stolenClaims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
      const imitation = await new SignJWT(stolenClaims)
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
        .sign(new TextEncoder().encode(SECRET_KEY))

      expect(statusAndBody(await logout(imitation))).to.deep.equal(INVALID)
      expect((await env.signoff.post('/auth/token/verify/', { token: access })).status).to.equal(200)
    })
  })

  describe('with a token of a trusted issuer', () => {
    const issued = async (key: IssuerKey, changes: Record<string, unknown> = {}): Promise<string> =>
      await issuedToken(key, issuedClaims(epochNow(), { jti: randomUUID(), ...changes }))

    it("denies it once, through a rotation of the issuer's key", async () => {
      const before = await issued(oldKey)
      expect(statusAndBody(await logout(before))).to.deep.equal(DONE)
      expect(statusAndBody(await logout(before))).to.deep.equal(INVALID)

      const newKey = await issuerKey('new')
      issuer.publish([newKey.jwk])
      const after = await issued(newKey)

      expect(statusAndBody(await logout(after))).to.deep.equal(DONE)
      expect(statusAndBody(await logout(after))).to.deep.equal(INVALID)
      expect(issuer.requests()).to.equal(2)
    })

    it('tells expired from invalid', async () => {
      const newest = await issuerKey('new')

      expect(statusAndBody(await logout(await issued(newest)))).to.deep.equal(INVALID)
      const stranger = await issued(oldKey, { iss: 'https://stranger.example' })
      expect(statusAndBody(await logout(stranger))).to.deep.equal(INVALID)
    })
  })

  it('answers 500 when the journal refuses, and the session can be ended later', async () => {
    const { access } = await env.login()
    await env.database.sql('ALTER TABLE revocations RENAME TO revocations_away')

    const failed = await logout(access)
    await env.database.sql('ALTER TABLE revocations_away RENAME TO revocations')
    const later = await logout(access)

    expect(statusAndBody(failed)).to.deep.equal({ status: 500, body: { error: 'Internal server error' } })
    expect(statusAndBody(later)).to.deep.equal(DONE)
  })
})
