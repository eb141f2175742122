// signoff user set-claims: what it has access tokens say, and what it does not have introspection say.
import { expect } from 'chai'
import { claimsOf, testEnvironment, type TestEnvironment } from '../support/service/environment.ts'
import { peerCredentials } from '../support/service/peer-credentials.ts'
import { runSignoff } from '../support/service/signoff.ts'

describe('signoff user set-claims', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment()
  })
  after(async () => {
    await env.stop()
  })

  const setClaims = async (json: string, input = '') =>
    await runSignoff(['user', 'set-claims', 'alice', json], {
      env: { DATABASE_URL: env.database.url },
      input,
    })

  it('has the tokens of the next login say them, and those of its refreshes', async () => {
    const { status, stdout } = await setClaims('{"department":"sales"}')

    const { access, refresh } = await env.login()
    const refreshed = await env.signoff.post('/auth/token/refresh/', { refresh })
    const again = (refreshed.json as { access: string }).access
    expect([status, stdout]).to.deep.equal([0, 'the next tokens of alice say: {"department":"sales"}\n'])
    for (const token of [access, again]) expect(claimsOf(token)).to.include({ department: 'sales' })
    expect((await env.signoff.post('/auth/token/verify/', { token: again })).status).to.equal(200)
  })

  it('reads them from standard input, and takes them away again', async () => {
    const given = await setClaims('-', '{"department":"law"}\n')
    const between = claimsOf((await env.login()).access)
    const emptied = await setClaims('{}')
    const after = claimsOf((await env.login()).access)

    expect([given.status, emptied.status]).to.deep.equal([0, 0])
    expect(between).to.include({ department: 'law' })
    expect(after).not.to.have.property('department')
  })

  it('has introspection say nothing of them', async () => {
    await setClaims('{"department":"sales"}')
    const { access: token } = await env.login()
    const { clientId, clientSecret } = await peerCredentials(env, 'shop')
    const credentials = { client_id: clientId, client_secret: clientSecret }

    const body = new URLSearchParams({ token, ...credentials })
    const { json } = await env.signoff.call('/oauth/introspect', {
      body: body.toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    })

    expect(json).to.include({ active: true, username: 'alice' }).and.not.have.property('department')
  })

  it('refuses a name that has a meaning, and says which', async () => {
    const { status, stderr } = await setClaims('{"sub":"mallory"}')

    expect(status).to.equal(1)
    expect(stderr).to.include('these claims have a meaning already: sub')
  })
})
