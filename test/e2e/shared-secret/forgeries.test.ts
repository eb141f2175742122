// A holder of SECRET_KEY at the service that signs access tokens with it: nothing can be done there in another's name.
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { jwtVerify } from 'jose'
import {
  claimsOf,
  statusAndBody,
  testEnvironment,
  type TestEnvironment,
} from '../../support/service/environment.ts'
import { epochNow, hs256, type Claims } from '../../support/clients/forge.ts'
import { addedPeer, type PeerClient } from '../../support/clients/peer.ts'
import type { Answer, CallOptions } from '../../support/service/signoff.ts'

const SECRET_KEY = 'what every peer knows, and could sign with, at least 32 bytes'
const YEAR_9999 = 253_402_300_799

describe('a token forged by a holder of SECRET_KEY', () => {
  let env: TestEnvironment
  let shop: PeerClient
  let access: string
  let claims: Claims

  before(async () => {
    env = await testEnvironment({ ACCESS_TOKEN_ALG: 'HS256', SECRET_KEY })
    shop = await addedPeer(env.signoff, env.database)
  })
  after(async () => {
    await env.stop()
  })
  beforeEach(async () => {
    access = (await env.login()).access
    claims = claimsOf(access)
  })

  const call = async (path: string, token: string, options: CallOptions = {}): Promise<Answer> =>
    await env.signoff.call(path, { ...options, headers: { Authorization: `Bearer ${token}` } })
  const signed = (changes: Claims, header: Claims = {}): string =>
    hs256({ alg: 'HS256', typ: 'at+jwt', ...header }, { ...claims, ...changes }, SECRET_KEY)

  /** Alice's own, but for what the holder of the secret makes of it. */
  const forgeries: Record<string, () => string> = {
    'with an id that they made': () => signed({ jti: randomUUID() }),
    'for an administrator': () => signed({ scope: 'admin' }),
    'for another user': () => {
      const other = randomUUID()
      return signed({ sub: other, user_id: other })
    },
    'for another session': () => signed({ sid: randomUUID() }),
    'with its session in upper case': () => signed({ sid: String(claims['sid']).toUpperCase() }),
    'until the year 9999': () => signed({ exp: YEAR_9999 }),
    'for an hour more': () => signed({ exp: Number(claims['exp']) + 3600 }),
    'with a claim more': () => signed({ gen: 0 }),
  }

  /** Where our endpoints take an access token, and what each says to one that is not ours. */
  const endpoints: Record<string, { ask: (token: string) => Promise<Answer>; refusal: object }> = {
    'POST /logout': {
      ask: async (token) => await call('/logout', token),
      refusal: { status: 401, body: { error: 'Invalid token' } },
    },
    'POST /auth/token/verify/': {
      ask: async (token) => await env.signoff.post('/auth/token/verify/', { token }),
      refusal: { status: 401, body: { detail: 'Token is invalid', code: 'token_not_valid' } },
    },
    'GET /auth/check': {
      ask: async (token) => await call('/auth/check', token, { method: 'GET' }),
      refusal: { status: 401, body: { error: 'token_invalid' } },
    },
    'POST /oauth/introspect': {
      ask: async (token) => await shop.introspect(token),
      refusal: { status: 200, body: { active: false } },
    },
    'GET /api/v1/auth/me': {
      ask: async (token) => await call('/api/v1/auth/me', token, { method: 'GET' }),
      refusal: { status: 401, code: 'token_invalid' },
    },
    'GET /api/v1/auth/sessions': {
      ask: async (token) => await call('/api/v1/auth/sessions', token, { method: 'GET' }),
      refusal: { status: 401, code: 'token_invalid' },
    },
    'GET /api/v1/auth/events': {
      ask: async (token) => await call('/api/v1/auth/events', token, { method: 'GET' }),
      refusal: { status: 401, code: 'token_invalid' },
    },
    'PUT /api/v1/auth/password': {
      ask: async (token) =>
        await call('/api/v1/auth/password', token, {
          method: 'PUT',
          json: { current_password: 'x', new_password: 'y' },
        }),
      refusal: { status: 401, code: 'token_invalid' },
    },
    'DELETE /api/v1/auth/me': {
      ask: async (token) =>
        await call('/api/v1/auth/me', token, { method: 'DELETE', json: { password: 'x' } }),
      refusal: { status: 401, code: 'token_invalid' },
    },
    'DELETE /api/v1/auth/sessions/{id}': {
      ask: async (token) =>
        await call(`/api/v1/auth/sessions/${String(claims['sid'])}`, token, { method: 'DELETE' }),
      refusal: { status: 401, code: 'token_invalid' },
    },
    'POST /api/v1/auth/logout': {
      ask: async (token) => await call('/api/v1/auth/logout', token),
      refusal: { status: 401, code: 'token_invalid' },
    },
    'POST /api/v1/auth/logout for all devices': {
      ask: async (token) => await call('/api/v1/auth/logout', token, { json: { all_devices: true } }),
      refusal: { status: 401, code: 'token_invalid' },
    },
    // RFC 7009 section 2.2: the answer to a token that is none.
    'POST /oauth/revoke': {
      ask: async (token) => await shop.revoke(token),
      refusal: { status: 200, body: undefined },
    },
  }

  const isLive = async (): Promise<boolean> =>
    (await env.signoff.post('/auth/token/verify/', { token: access })).status === 200

  for (const [endpoint, { ask, refusal }] of Object.entries(endpoints)) {
    it(`is refused at ${endpoint}, and no session ends`, async () => {
      for (const [what, forge] of Object.entries(forgeries)) {
        const answer = await ask(forge())

        const { status, body } = statusAndBody(answer)
        const expected =
          'code' in refusal ? { status, code: (body as { code: string }).code } : { status, body }
        expect(expected, what).to.deep.equal(refusal)
      }
      expect(await isLive()).to.equal(true)
    })
  }

  it('is refused at POST /logout when it bears our name without our type, and denies nothing', async () => {
    const denied = async () => (await env.database.sql('SELECT 1 FROM revocations')).length
    const before = await denied()

    for (const typ of ['JWT', 'rt+jwt', undefined]) {
      const answer = await call('/logout', signed({ jti: randomUUID() }, { typ }))
      expect(statusAndBody(answer), String(typ)).to.deep.equal({
        status: 401,
        body: { error: 'Invalid token' },
      })
    }

    expect(await denied()).to.equal(before)
    expect(await isLive()).to.equal(true)
  })

  it('of another service denies itself alone at POST /logout, whatever session of ours it names', async () => {
    const foreign = signed({ iss: 'https://login.example.com' })

    expect((await call('/logout', foreign)).status).to.equal(200)
    expect((await call('/logout', foreign)).status).to.equal(401)
    expect(await isLive()).to.equal(true)
  })

  it('is no hindrance to what we signed: peers verify it by the secret, and we take it', async () => {
    const { protectedHeader, payload } = await jwtVerify(access, Buffer.from(SECRET_KEY), {
      algorithms: ['HS256'],
      typ: 'at+jwt',
      audience: 'signoff',
    })

    expect(protectedHeader).to.deep.equal({ alg: 'HS256', typ: 'at+jwt' })
    expect(payload.exp).to.be.greaterThan(epochNow())
    expect((await shop.introspect(access)).json).to.include({ active: true, jti: payload.jti })
    expect((await call('/auth/check', access, { method: 'GET' })).status).to.equal(200)
    expect((await call('/api/v1/auth/me', access, { method: 'GET' })).status).to.equal(200)
    expect((await call('/logout', access)).status).to.equal(200)
    expect(await isLive()).to.equal(false)
  })
})
