// POST /oauth/introspect row by row, and who may ask.
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import {
  claimsOf,
  eventually,
  statusAndBody,
  testEnvironment,
  type TestEnvironment,
} from '../../support/service/environment.ts'
import { epochNow, forge, hs256 } from '../../support/clients/forge.ts'
import { addedPeer, basicAuth, postForm, type PeerClient } from '../../support/clients/peer.ts'
import { runSignoff, type Answer } from '../../support/service/signoff.ts'

const INACTIVE = { status: 200, body: { active: false } }
const PATH = '/oauth/introspect'
const SECRET_KEY = 'what the old login service and we share, at least 32 bytes'

describe('POST /oauth/introspect', () => {
  let env: TestEnvironment
  let shop: PeerClient

  before(async () => {
    env = await testEnvironment({ SECRET_KEY, TRUST_PROXY: 'loopback' })
    shop = await addedPeer(env.signoff, env.database)
  })
  after(async () => {
    await env.stop()
  })

  const ask = async (form: Record<string, string> | string, headers: Record<string, string> = {}) =>
    await postForm(env.signoff, PATH, { form, headers })
  const errorOf = ({ status, json }: Answer) => [status, (json as { error: string }).error]

  describe('of a live access token', () => {
    it('says what is in it, and nothing else', async () => {
      const { access } = await env.login()
      const { sub, iss, aud, iat, exp, jti, sid } = claimsOf(access)

      const answer = await shop.introspect(access)

      expect(statusAndBody(answer)).to.deep.equal({
        status: 200,
        body: {
          ...{ active: true, sub, username: 'alice', client_id: 'signoff', token_type: 'Bearer' },
          ...{ scope: 'user', iss, aud, iat, exp, jti, sid },
        },
      })
      expect(answer.headers).to.include({ 'cache-control': 'no-store', pragma: 'no-cache' })
      expect(answer.headers['content-type']).to.equal('application/json')
    })

    it('says the same to credentials in the form, with a trailing slash, and whatever is hinted', async () => {
      const { access } = await env.login()
      const { clientId, clientSecret, basic } = shop
      const own = { client_id: clientId, client_secret: clientSecret }
      const expected = (await shop.introspect(access)).json

      const answers = [
        await ask({ token: access, ...own }),
        await ask({ token: access, token_type_hint: 'refresh_token', other: 'x' }, { Authorization: basic }),
        await postForm(env.signoff, `${PATH}/`, { form: { token: access, ...own } }),
      ]

      for (const { json } of answers) expect(json).to.deep.equal(expected)
    })
  })

  describe('of anything else', () => {
    const expectInactive = async (token: string, what?: string) => {
      expect(statusAndBody(await shop.introspect(token)), what).to.deep.equal(INACTIVE)
    }

    it('says not active, and no more: a refresh token, garbage, an expired or a forged one', async () => {
      const { access, refresh } = await env.login()
      const forged = forge(env.signoff.files)
      const past = { iat: epochNow() - 600, exp: epochNow() - 300 }

      await expectInactive(refresh, 'refresh')
      await expectInactive(`${access.slice(0, -8)}AAAAAAAA`, 'signature')
      await expectInactive(forged.access(past), 'expired')
      await expectInactive(forged.access({ iss: 'https://evil.example' }), 'issuer')
      await expectInactive(forged.access({ aud: 'another' }), 'audience')
      for (const token of ['x', 'a.b.c', '\0', ' ', 'ü', '..', 'x'.repeat(10_000)])
        await expectInactive(token)
    })

    it('says not active of a foreign token, though POST /logout would take it', async () => {
      const claims = { jti: randomUUID(), exp: epochNow() + 60 }

      await expectInactive(hs256({ alg: 'HS256', typ: 'JWT' }, claims, SECRET_KEY))
    })

    it('says not active as soon as the session is over, however that came', async () => {
      const [one, two] = [await env.login(), await env.login()]
      await env.signoff.post('/auth/logout/', { refresh_token: one.refresh })
      await env.signoff.call('/logout', { headers: { Authorization: `Bearer ${two.access}` } })

      for (const { access } of [one, two]) await expectInactive(access)
    })

    it('says not active of a token that is denied alone', async () => {
      const { access } = await env.login()
      const { sid, jti } = claimsOf(access)
      await env.redis.client.set(`denylist:{${String(sid).slice(-2)}}:${String(sid)}:${String(jti)}`, '1')

      await expectInactive(access)
    })
  })

  describe('to somebody else', () => {
    it('is 401 with a challenge: no credentials, wrong ones, half of them, illegible ones', async () => {
      const { access: token } = await env.login()
      const { clientId, clientSecret } = shop
      const answers = [
        await ask({ token }),
        await ask({ token }, { Authorization: basicAuth(clientId, 'wrong') }),
        await ask({ token }, { Authorization: basicAuth('nobody', clientSecret) }),
        await ask({ token }, { Authorization: basicAuth(clientId, '') }),
        await ask({ token }, { Authorization: basicAuth(clientId, `${clientSecret}\0`) }),
        await ask({ token }, { Authorization: 'Basic ####' }),
        await ask({ token }, { Authorization: `Bearer ${token}` }),
        await ask({ token, client_id: clientId }),
        await ask({ token, client_secret: clientSecret }),
        await ask({ token, client_id: clientId, client_secret: 'wrong' }),
        await ask({ token, client_id: `${clientId}\0`, client_secret: clientSecret }),
      ]

      const [first] = answers
      for (const answer of answers) {
        expect(errorOf(answer)).to.deep.equal([401, 'invalid_client'])
        expect(answer.text).to.equal(first?.text)
        expect(answer.headers).to.include({
          'www-authenticate': 'Basic realm="signoff"',
          'cache-control': 'no-store',
          pragma: 'no-cache',
        })
      }
    })

    it('is 400 for credentials in both places, and for fields that are missing, empty or repeated', async () => {
      const { access: token } = await env.login()
      const { basic, clientId, clientSecret } = shop
      const authorized = { Authorization: basic }
      const own = `client_id=${clientId}&client_secret=${clientSecret}`

      for (const form of [
        `token=${token}&${own}`,
        `token=${token}&client_id=another`,
        `token=${token}&token=${token}`,
        `token=${token}&token_type_hint=a&token_type_hint=b`,
        `token=${token}&client_id=${clientId}&client_id=${clientId}`,
        'token=',
        'tokens=x',
        '',
      ]) {
        expect(errorOf(await ask(form, authorized)), form).to.deep.equal([400, 'invalid_request'])
      }
      for (const form of [`token=${token}&${own}&client_secret=x`, `token=${token}&client_id=x&${own}`]) {
        expect(errorOf(await ask(form)), form).to.deep.equal([400, 'invalid_request'])
      }
    })

    it('is 415 for a body that is no form, 413 for a huge one, 405 and 404 in the same words', async () => {
      const headers = { Authorization: shop.basic }
      const json = await env.signoff.call(PATH, { json: { token: 'x' }, headers })
      const huge = await ask({ token: 'x'.repeat(17_000) }, headers)
      const got = await env.signoff.call(`${PATH}?token=x`, { method: 'GET', headers })
      const nowhere = await env.signoff.call('/oauth/token', { headers })

      expect(errorOf(json)).to.deep.equal([415, 'invalid_request'])
      expect(errorOf(huge)).to.deep.equal([413, 'invalid_request'])
      expect(errorOf(got)).to.deep.equal([405, 'invalid_request'])
      expect(got.headers['allow']).to.equal('POST, OPTIONS')
      expect(errorOf(nowhere)).to.deep.equal([404, 'invalid_request'])
    })

    it('takes neither token nor credentials from the query', async () => {
      const { access } = await env.login()
      const query = new URLSearchParams({
        token: access,
        client_id: shop.clientId,
        client_secret: shop.clientSecret,
      })

      const answer = await postForm(env.signoff, `${PATH}?${query.toString()}`, { form: {} })

      expect(errorOf(answer)).to.deep.equal([401, 'invalid_client'])
    })

    it('slows wrong secrets of one address, and lets the right one in from there', async () => {
      const from = { 'X-Forwarded-For': '192.0.2.1' }
      const wrong = { Authorization: basicAuth(shop.clientId, 'wrong'), ...from }
      const answers = await Promise.all(
        Array.from({ length: 200 }, async () => await ask({ token: 'x' }, wrong)),
      )
      const right = await ask({ token: 'x' }, { Authorization: shop.basic, ...from })
      const person = await env.signoff.call('/auth/login/', {
        json: { username: 'alice', password: 'correct horse battery staple' },
        headers: from,
      })

      const refused = answers.filter(({ status }) => status === 429)
      expect(answers.filter(({ status }) => status === 401)).to.have.length(120)
      expect(refused).to.have.length(80)
      for (const answer of refused) {
        expect(errorOf(answer)).to.deep.equal([429, 'invalid_client'])
        expect(Number(answer.headers['retry-after'])).to.be.within(1, 60)
      }
      expect(statusAndBody(right)).to.deep.equal(INACTIVE)
      expect(person.status).to.equal(200)
    })
  })

  it('knows a new peer within a second, and refuses a removed one within ten', async () => {
    await ask({ token: 'x' }, { Authorization: basicAuth('late', 'x') })
    const late = await addedPeer(env.signoff, env.database, 'late')
    await eventually(async () => (await late.introspect('x')).status === 200)

    await runSignoff(['peer', 'remove', 'late'], { env: { DATABASE_URL: env.database.url } })

    await eventually(async () => (await late.introspect('x')).status === 401)
  }).timeout(30_000)

  it('leaves no secret and no token in the system log', async () => {
    const { access } = await env.login()
    await shop.introspect(access)

    const log = JSON.stringify(env.signoff.log)
    expect(log).to.not.contain(shop.clientSecret)
    expect(log).to.not.contain(access)
  })
})
