// Two OAuth client libraries as they are: they discover the service, introspect and revoke.
import { expect } from 'chai'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { freePort } from '../../../src/embedded/process/free-port.ts'
import { testEnvironment, type TestEnvironment } from '../../support/service/environment.ts'
import { addedPeer, type PeerClient } from '../../support/clients/peer.ts'

const METADATA = '/.well-known/oauth-authorization-server'

describe('the OAuth endpoints', () => {
  let env: TestEnvironment
  let shop: PeerClient

  before(async () => {
    const port = await freePort()
    env = await testEnvironment({ PORT: String(port), ISSUER: `https://localhost:${port}` })
    shop = await addedPeer(env.signoff, env.database)
  })
  after(async () => {
    await env.stop()
  })

  /** `fetch` through the suite's own client, which trusts the test certificate. */
  const trusting = async (url: string, init: { method: string; headers: object; body?: unknown }) => {
    const { origin, pathname, search } = new URL(url)
    expect(origin).to.equal(env.signoff.url)
    const { method, headers, body } = init
    const answer = await env.signoff.call(`${pathname}${search}`, {
      method,
      headers: { ...headers },
      ...(body instanceof URLSearchParams && { body: body.toString() }),
    })
    const { status, text } = answer
    return new Response(status === 204 ? null : text, { status, headers: answer.headers })
  }

  it('describe themselves, for everybody to keep', async () => {
    const { url } = env.signoff
    const methods = ['client_secret_basic', 'client_secret_post']

    const answer = await env.signoff.call(METADATA, { method: 'GET' })

    expect(answer.status).to.equal(200)
    expect(answer.json).to.deep.equal({
      issuer: url,
      jwks_uri: `${url}/.well-known/jwks.json`,
      introspection_endpoint: `${url}/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: methods,
      revocation_endpoint: `${url}/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: methods,
      response_types_supported: [],
      grant_types_supported: [],
      service_documentation: `${url}/docs`,
    })
    expect(answer.headers).to.include({
      'cache-control': 'public, max-age=300',
      'access-control-allow-origin': '*',
    })
    expect((await env.signoff.call(`${METADATA}/`, { method: 'GET' })).json).to.deep.equal(answer.json)
  })

  for (const authentication of ['ClientSecretBasic', 'ClientSecretPost'] as const) {
    it(`are used by oauth4webapi, with ${authentication}`, async () => {
      const { access, refresh } = await env.login()
      const options = { [oauth.customFetch]: trusting }
      const issuer = new URL(env.signoff.url)
      const client = { client_id: shop.clientId }
      const auth = oauth[authentication](shop.clientSecret)
      const discovery = { ...options, algorithm: 'oauth2' as const }
      const server = await oauth.processDiscoveryResponse(
        issuer,
        await oauth.discoveryRequest(issuer, discovery),
      )
      const introspect = async (token: string) =>
        await oauth.processIntrospectionResponse(
          server,
          client,
          await oauth.introspectionRequest(server, client, auth, token, options),
        )

      const live = await introspect(access)
      const wrongKind = await introspect(refresh)
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(server, client, auth, refresh, options),
      )
      const over = await introspect(access)

      expect(live).to.include({ active: true, username: 'alice', token_type: 'Bearer' })
      expect([wrongKind, over]).to.deep.equal([{ active: false }, { active: false }])
    })

    it(`are used by openid-client, with ${authentication}`, async () => {
      const { access } = await env.login()
      const config = await openid.discovery(
        new URL(env.signoff.url),
        shop.clientId,
        undefined,
        openid[authentication](shop.clientSecret),
        { algorithm: 'oauth2', [openid.customFetch]: trusting },
      )

      const live = await openid.tokenIntrospection(config, access)
      await openid.tokenRevocation(config, access)
      const over = await openid.tokenIntrospection(config, access)

      expect(live).to.include({ active: true, username: 'alice' })
      expect(over).to.deep.equal({ active: false })
    })
  }

  it('tell oauth4webapi what is wrong: a client that is not known', async () => {
    const client = { client_id: shop.clientId }
    const as = { issuer: env.signoff.url, introspection_endpoint: `${env.signoff.url}/oauth/introspect` }
    const options = { [oauth.customFetch]: trusting }
    const response = await oauth.introspectionRequest(as, client, oauth.ClientSecretBasic('x'), 'x', options)

    const failure: unknown = await oauth
      .processIntrospectionResponse(as, client, response)
      .catch((error: unknown) => error)

    expect(failure).to.be.instanceOf(oauth.WWWAuthenticateChallengeError)
  })
})
