// POST /oauth/revoke row by row.
import { expect } from 'chai'
import { claimsOf, testEnvironment, type TestEnvironment } from '../../support/service/environment.ts'
import { epochNow, forge, hs256 } from '../../support/clients/forge.ts'
import { addedPeer, basicAuth, postForm, type PeerClient } from '../../support/clients/peer.ts'
import type { Answer } from '../../support/service/signoff.ts'

const PATH = '/oauth/revoke'
const SECRET_KEY = 'what the old login service and we share, at least 32 bytes'

describe('POST /oauth/revoke', () => {
  let env: TestEnvironment
  let shop: PeerClient

  before(async () => {
    env = await testEnvironment({ SECRET_KEY })
    shop = await addedPeer(env.signoff, env.database)
  })
  after(async () => {
    await env.stop()
  })

  const expectDone = ({ status, text, headers }: Answer, what?: string): void => {
    expect([status, text], what).to.deep.equal([200, ''])
    expect(headers, what).to.include({ 'cache-control': 'no-store', pragma: 'no-cache' })
    expect(headers, what).to.not.have.property('content-type')
  }
  const verify = async (token: string) => (await env.signoff.post('/auth/token/verify/', { token })).status

  for (const kind of ['access', 'refresh'] as const) {
    it(`ends the session behind a ${kind} token: every token of it is refused, and the log has it`, async () => {
      const [pair, other] = [await env.login(), await env.login()]

      expectDone(await shop.revoke(pair[kind]))

      expect(await verify(pair.access)).to.equal(401)
      expect(await verify(pair.refresh)).to.equal(401)
      expect((await env.signoff.post('/auth/token/refresh/', { refresh: pair.refresh })).status).to.equal(401)
      expect((await shop.introspect(pair.access)).json).to.deep.equal({ active: false })
      expect(await verify(other.access)).to.equal(200)
      const entries = await env.database.sql(
        `SELECT event_type AS type, message FROM logs WHERE session_id = $1 AND event_type = 'USER_LOGOUT'`,
        [claimsOf(pair.access)['sid']],
      )
      expect(entries).to.deep.equal([{ type: 'USER_LOGOUT', message: 'by the peer shop' }])
    })
  }

  it('says the same of what is dead already, or never lived', async () => {
    const { access, refresh } = await env.login()
    await env.signoff.post('/auth/logout/', { refresh_token: refresh })
    const past = { iat: epochNow() - 600, exp: epochNow() - 300 }

    for (const token of [access, refresh, forge(env.signoff.files).access(past), 'x', 'a.b.c', '\0']) {
      expectDone(await shop.revoke(token), token)
    }
  })

  it('denies a token of another service, or says that it goes on living', async () => {
    const foreign = (exp?: number) => hs256({ alg: 'HS256' }, { jti: 'one', exp }, SECRET_KEY)

    expectDone(await shop.revoke(foreign(epochNow() + 60)))
    for (const exp of [253_402_300_799, undefined]) {
      const { status, json } = await shop.revoke(foreign(exp))
      expect([status, (json as { error: string }).error]).to.deep.equal([400, 'unsupported_token_type'])
    }
  })

  it('is done for all of ten who ask at once, and logged once', async () => {
    const { access } = await env.login()

    const answers = await Promise.all(Array.from({ length: 10 }, () => shop.revoke(access)))

    for (const answer of answers) expectDone(answer)
    const entries = await env.database.sql(
      `SELECT 1 FROM logs WHERE session_id = $1 AND event_type = 'USER_LOGOUT'`,
      [claimsOf(access)['sid']],
    )
    expect(entries).to.have.length(1)
  })

  it('takes credentials from the form, and ignores the hint', async () => {
    const { refresh } = await env.login()
    const { clientId, clientSecret } = shop

    const form = { token: refresh, token_type_hint: 'access_token' }
    expectDone(
      await postForm(env.signoff, PATH, {
        form: { ...form, client_id: clientId, client_secret: clientSecret },
      }),
    )

    expect(await verify(refresh)).to.equal(401)
  })

  it('ends nothing for somebody else, or for a request that is wrong', async () => {
    const { access: token } = await env.login()
    const wrong = { Authorization: basicAuth('shop', 'wrong') }
    const right = { Authorization: shop.basic }

    const answers = [
      await postForm(env.signoff, PATH, { form: { token } }),
      await postForm(env.signoff, PATH, { form: { token }, headers: wrong }),
      await postForm(env.signoff, PATH, { form: `token=${token}&token=x`, headers: right }),
      await postForm(env.signoff, PATH, { form: `token=${token}&client_secret=x`, headers: right }),
      await env.signoff.call(PATH, { json: { token }, headers: right }),
      await env.signoff.call(`${PATH}?token=${token}`, { method: 'GET', headers: right }),
    ]

    expect(answers.map(({ status, json }) => [status, (json as { error: string }).error])).to.deep.equal([
      [401, 'invalid_client'],
      [401, 'invalid_client'],
      [400, 'invalid_request'],
      [400, 'invalid_request'],
      [415, 'invalid_request'],
      [405, 'invalid_request'],
    ])
    expect(await verify(token)).to.equal(200)
  })
})
