// The error rows of the token API that are about credentials and tokens.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { generateKeyPair, SignJWT } from 'jose'
import {
  claimsOf,
  eventually,
  PASSWORD,
  statusAndBody,
  testEnvironment,
  type TestEnvironment,
} from '../../support/service/environment.ts'
import { epochNow, forge, hs256, signingInput, type Forge } from '../../support/clients/forge.ts'
import { runSignoff } from '../../support/service/signoff.ts'

const refusal = (detail: string) => ({ status: 401, body: { detail, code: 'token_not_valid' } })
const INVALID = refusal('Token is invalid')
const EXPIRED = refusal('Token is expired')
const WRONG_TYPE = refusal('Token has wrong type')
const DENIED = refusal('Token is blacklisted')
const NO_ACCOUNT = { status: 401, body: { detail: 'No active account found with the given credentials' } }
const BAD_LOGOUT = { status: 401, body: { error: 'Token is invalid or already blacklisted' } }

/** Makes one claim wrong. */
const WRONG_CLAIMS: [name: string, changes: () => Record<string, unknown>][] = [
  ['another issuer', () => ({ iss: 'https://elsewhere.example' })],
  ['another audience', () => ({ aud: 'another' })],
  ['a future nbf', () => ({ nbf: epochNow() + 60 })],
  ['a future iat', () => ({ iat: epochNow() + 60 })],
  ['an exp that is no number', () => ({ exp: String(epochNow() + 60) })],
  ['no exp', () => ({ exp: undefined })],
  ['no jti', () => ({ jti: undefined })],
  ['no user', () => ({ sub: undefined })],
  ['no session', () => ({ sid: undefined })],
  ['no token_type', () => ({ token_type: undefined })],
]

describe('credentials the token API does not take', () => {
  let env: TestEnvironment
  let forged: Forge

  before(async () => {
    env = await testEnvironment()
    forged = forge(env.signoff.files)
  })
  after(async () => {
    await env.stop()
  })

  async function refreshWith(refresh: string) {
    return statusAndBody(await env.signoff.post('/auth/token/refresh/', { refresh }))
  }

  it('answers wrong password, unknown user and inactive user alike', async () => {
    await env.addUser('inactive')
    await runSignoff(['user', 'disable', 'inactive'], { env: { DATABASE_URL: env.database.url } })

    const answers = await Promise.all([
      env.signoff.post('/auth/login/', { username: 'alice', password: 'wrong password' }),
      env.signoff.post('/auth/login/', { username: 'nobody', password: PASSWORD }),
      env.signoff.post('/auth/login/', { username: 'inactive', password: PASSWORD }),
    ])

    for (const answer of answers) {
      expect(statusAndBody(answer)).to.deep.equal(NO_ACCOUNT)
      expect(answer.headers['www-authenticate']).to.equal('Bearer realm="api"')
    }
  })

  it('logs a failed login without the name that was typed', async () => {
    await env.signoff.post('/auth/login/', { username: 'my-password-by-mistake', password: 'x' })

    const entries = await env.database.sql<object>(
      `SELECT * FROM logs WHERE event_type = 'USER_LOGIN_FAILED'`,
    )
    expect(entries).to.not.be.empty
    expect(JSON.stringify(entries)).to.not.contain('my-password-by-mistake')
  })

  it('takes a forged token when nothing about it is wrong', async () => {
    expect((await refreshWith(forged.refresh())).status).to.equal(200)
  })

  for (const [name, changes] of WRONG_CLAIMS) {
    it(`refuses a token with ${name}`, async () => {
      const verified = await env.signoff.post('/auth/token/verify/', { token: forged.access(changes()) })

      expect(await refreshWith(forged.refresh(changes()))).to.deep.equal(INVALID)
      expect(statusAndBody(verified)).to.deep.equal(INVALID)
    })
  }

  it('refuses garbage', async () => {
    const { refresh } = await env.login()
    const [header, payload, signature] = refresh.split('.') as [string, string, string]
    const garbage = [
      'garbage',
      'a.b.c',
      '..',
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${refresh}.x`,
      `${refresh}=`,
      `${header}.${payload}.${signature.slice(0, -1)}`,
      `${header}.${payload}A.${signature}`,
      refresh.toUpperCase(),
    ]

    for (const token of garbage) expect(await refreshWith(token), token).to.deep.equal(INVALID)
  })

  it('refuses another key, alg none and another alg', async () => {
    const { privateKey } = await generateKeyPair('ES256')
    const otherKey = await new SignJWT({ sid: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .sign(privateKey)
    const claims = JSON.parse(
      Buffer.from(forged.refresh().split('.')[1] ?? '', 'base64url').toString(),
    ) as Record<string, unknown>
    const publicKey = readFileSync(env.signoff.files.signingKeysFile, 'utf8')
    const tokens = [
      otherKey,
      hs256({ alg: 'HS256', typ: 'rt+jwt' }, claims, 'another secret of at least 32 bytes.'),
      hs256({ alg: 'HS256', typ: 'at+jwt' }, claims, publicKey),
      hs256(
        { alg: 'HS384', typ: 'rt+jwt' },
        claims,
        readFileSync(env.signoff.files.refreshKeyFile, 'utf8').trim(),
      ),
      forged.refresh({}, { alg: 'none' }),
      `${signingInput({ alg: 'none', typ: 'rt+jwt' }, claims)}.`,
      forged.refresh({}, { typ: 'JWT' }),
      forged.refresh({}, { typ: undefined }),
      forged.refresh({}, { crit: ['exp'] }),
      forged.access({}, { kid: 'another' }),
    ]

    for (const token of tokens) expect(await refreshWith(token), token).to.deep.equal(INVALID)
  })

  it('says expired of an expired token, once the leeway is over', async () => {
    const now = epochNow()

    expect(await refreshWith(forged.refresh({ iat: now - 60, exp: now - 6 }))).to.deep.equal(EXPIRED)
    const withinLeeway = forged.refresh({ iat: now - 60, exp: now - 1 })
    expect((await env.signoff.post('/auth/token/verify/', { token: withinLeeway })).status).to.equal(200)
    // An access token out of it would be dead already.
    expect(await refreshWith(withinLeeway)).to.deep.equal(EXPIRED)
  })

  it('says wrong type of an access token where a refresh token is due', async () => {
    const { access } = await env.login()

    const blacklisted = await env.signoff.post('/auth/token/blacklist/', { refresh: access })

    expect(await refreshWith(access)).to.deep.equal(WRONG_TYPE)
    expect(statusAndBody(blacklisted)).to.deep.equal(WRONG_TYPE)
  })

  it('says denied of every token of a user who was disabled or given another password', async () => {
    const operator = { DATABASE_URL: env.database.url }
    await Promise.all([env.addUser('leaver'), env.addUser('changer')])
    const pairs = await Promise.all([env.login('leaver'), env.login('changer')])

    await runSignoff(['user', 'disable', 'leaver'], { env: operator })
    await runSignoff(['user', 'set-password', 'changer'], { env: operator, input: 'another password' })
    // The relay carries what another process ended.
    await eventually(async () => {
      const answers = await Promise.all(pairs.map(({ refresh }) => refreshWith(refresh)))
      return answers.every(({ status }) => status === 401)
    })

    for (const { refresh, access } of pairs) {
      const verified = await env.signoff.post('/auth/token/verify/', { token: access })
      expect(await refreshWith(refresh)).to.deep.equal(DENIED)
      expect(statusAndBody(verified)).to.deep.equal(DENIED)
    }
  })

  it('answers every wrong token at /auth/logout/ alike', async () => {
    const { access } = await env.login()
    const now = epochNow()
    const tokens = ['garbage', access, forged.refresh({ exp: now - 60 }), forged.refresh({ iss: 'x' })]

    for (const token of tokens) {
      const answer = await env.signoff.post('/auth/logout/', { refresh_token: token })
      expect(statusAndBody(answer)).to.deep.equal(BAD_LOGOUT)
      expect(answer.headers['www-authenticate']).to.equal('Bearer realm="api"')
    }
  })

  for (const path of ['/auth/logout/', '/auth/token/blacklist/']) {
    it(`ends the session of a token that seems to come from the future at ${path}`, async () => {
      const { refresh } = await env.login()
      const ahead = { ...claimsOf(refresh), iat: epochNow() + 60, nbf: epochNow() + 60 }
      const field = path === '/auth/logout/' ? 'refresh_token' : 'refresh'

      const answer = await env.signoff.post(path, { [field]: forged.refresh(ahead) })

      expect(answer.status).to.equal(200)
      expect(await refreshWith(refresh)).to.deep.equal(DENIED)
    })
  }

  it('denies a session that the database has lost, once', async () => {
    const { refresh } = await env.login()
    await env.database.sql('DELETE FROM user_sessions WHERE id = $1', [claimsOf(refresh)['sid']])

    const first = await env.signoff.post('/auth/logout/', { refresh_token: refresh })
    const second = await env.signoff.post('/auth/logout/', { refresh_token: refresh })

    expect(first.status).to.equal(200)
    expect(statusAndBody(second)).to.deep.equal(BAD_LOGOUT)
    expect(await refreshWith(refresh)).to.deep.equal(DENIED)
  })

  it('puts WWW-Authenticate on every 401', async () => {
    const answer = await env.signoff.post('/auth/token/refresh/', { refresh: 'garbage' })

    expect(answer.headers['www-authenticate']).to.equal('Bearer realm="api"')
  })
})
