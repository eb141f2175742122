// OAuth clients as their authors ship them discover, introspect and revoke here, knowing nothing but issuer and credentials.
import { expect } from 'chai'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { FETCH_TIMEOUT_MS } from '../../support/servers/debian-packages.ts'
import { claimsOf } from '../../support/service/environment.ts'
import { epochNow, forge } from '../../support/clients/forge.ts'
import { ownIssuer, type OwnIssuer } from '../../support/service/own-issuer.ts'
import { peerCredentials, type TestPeer } from '../../support/service/peer-credentials.ts'

interface Client {
  name: string
  discover(service: OwnIssuer, peer: TestPeer): Promise<DiscoveredService>
}

interface DiscoveredService {
  introspect(token: string): Promise<object>
  revoke(token: string): Promise<void>
}

const INACTIVE = { active: false }

describe('unmodified OAuth clients', () => {
  let service: OwnIssuer
  let peer: TestPeer

  before(async function () {
    this.timeout(FETCH_TIMEOUT_MS)
    service = await ownIssuer()
    peer = await peerCredentials(service, 'reports')
  })
  after(async () => {
    await service.stop()
  })

  for (const client of [
    oauth4webapi('client_secret_basic', oauth.ClientSecretBasic),
    oauth4webapi('client_secret_post', oauth.ClientSecretPost),
    openidClient('client_secret_basic', openid.ClientSecretBasic),
    openidClient('client_secret_post', openid.ClientSecretPost),
  ]) {
    describe(client.name, () => {
      let discovered: DiscoveredService

      before(async () => {
        discovered = await client.discover(service, peer)
      })

      it('finds an access token active, with its claims', async () => {
        const { access } = await service.login()
        const { sub, sid, jti, exp } = claimsOf(access)

        const answer = await discovered.introspect(access)

        expect(answer).to.include({
          active: true,
          sub,
          sid,
          jti,
          exp,
          username: 'alice',
          token_type: 'Bearer',
        })
        expect(answer).to.include({ iss: service.issuer, aud: 'signoff' })
      })

      it('finds refresh tokens, expired and altered tokens, and what is no token inactive, and is told no more', async () => {
        const { access, refresh } = await service.login()
        const past = { iss: service.issuer, iat: epochNow() - 600, exp: epochNow() - 300 }
        const tokens = [
          refresh,
          forge(service.signoff.files).access(past),
          `${access.slice(0, -6)}AAAAAA`,
          'nonsense',
        ]

        const answers = await Promise.all(tokens.map((token) => discovered.introspect(token)))

        expect(answers).to.deep.equal(tokens.map(() => INACTIVE))
      })

      it('finds the access token inactive as soon as its session is logged out', async () => {
        const { access, refresh } = await service.login()

        await service.signoff.post('/auth/logout/', { refresh_token: refresh })

        expect(await discovered.introspect(access)).to.deep.equal(INACTIVE)
      })

      it('revokes: by a refresh token the session, and what is dead or unknown without complaint', async () => {
        const { access, refresh } = await service.login()

        await discovered.revoke(refresh)
        await discovered.revoke(refresh)
        await discovered.revoke('nonsense')

        const again = await service.signoff.post('/auth/token/refresh/', { refresh })
        expect(await discovered.introspect(access)).to.deep.equal(INACTIVE)
        expect(again.status).to.equal(401)
      })

      it('revokes an access token', async () => {
        const { access } = await service.login()

        await discovered.revoke(access)

        expect(await discovered.introspect(access)).to.deep.equal(INACTIVE)
      })

      it('is refused with a wrong secret, and told so', async () => {
        const { access } = await service.login()
        const wrong = { ...peer, clientSecret: 'x'.repeat(43) }
        const stranger = await client.discover(service, wrong)

        const refusal = await stranger.introspect(access).catch((error: unknown) => error)

        expect(refusal).to.be.an('error')
      })
    })
  }
})

function oauth4webapi(method: string, authentication: (secret: string) => oauth.ClientAuth): Client {
  return {
    name: `oauth4webapi with ${method}`,
    discover: async ({ issuer, fetch }, { clientId, clientSecret }) => {
      const options = { [oauth.customFetch]: fetch }
      const url = new URL(issuer)
      const found = await oauth.discoveryRequest(url, { ...options, algorithm: 'oauth2' })
      const server = await oauth.processDiscoveryResponse(url, found)
      const client = { client_id: clientId }
      const auth = authentication(clientSecret)
      return {
        introspect: async (token) =>
          await oauth.processIntrospectionResponse(
            server,
            client,
            await oauth.introspectionRequest(server, client, auth, token, options),
          ),
        revoke: async (token) => {
          await oauth.processRevocationResponse(
            await oauth.revocationRequest(server, client, auth, token, options),
          )
        },
      }
    },
  }
}

function openidClient(method: string, authentication: (secret: string) => openid.ClientAuth): Client {
  return {
    name: `openid-client with ${method}`,
    discover: async ({ issuer, fetch }, { clientId, clientSecret }) => {
      const config = await openid.discovery(
        new URL(issuer),
        clientId,
        clientSecret,
        authentication(clientSecret),
        { [openid.customFetch]: fetch, algorithm: 'oauth2' },
      )
      return {
        introspect: async (token) => await openid.tokenIntrospection(config, token),
        revoke: async (token) => {
          await openid.tokenRevocation(config, token)
        },
      }
    },
  }
}
