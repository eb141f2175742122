// nginx and Caddy, real, on the configurations of their examples: nobody passes whom Signoff does not let pass.
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { expect } from 'chai'
import { request } from 'undici'
import { FETCH_TIMEOUT_MS } from '../../support/servers/debian-packages.ts'
import { claimsOf, eventually, PASSWORD } from '../../support/service/environment.ts'
import { HANGING_MS } from '../../support/clients/hanging.ts'
import { forge } from '../../support/clients/forge.ts'
import { ownIssuer, type OwnIssuer } from '../../support/service/own-issuer.ts'
import { caddy, nginx, startGateway, type Gateway } from './gateway.ts'

for (const program of [nginx, caddy]) {
  describe(program.name, () => {
    let service: OwnIssuer
    let gateway: Gateway

    before(async function () {
      this.timeout(FETCH_TIMEOUT_MS)
      service = await ownIssuer({ GATEWAY_COOKIE: 'on' })
      gateway = await startGateway(program, service)
    })
    after(async () => {
      await gateway.stop()
      await service.stop()
    })
    beforeEach(() => {
      gateway.reached.length = 0
    })

    it('lets a live access token pass, and tells the app whose it is', async () => {
      const { access } = await service.login()
      const { sub, sid } = claimsOf(access)

      const { status } = await ask({ access })

      expect(status).to.equal(200)
      expect(gateway.reached).to.have.length(1)
      expect(gateway.reached[0]).to.include({
        'x-auth-user': sub,
        'x-auth-session': sid,
        'x-auth-role': 'user',
      })
    })

    it('takes the session cookie for what a browser reads by itself, and for nothing else', async () => {
      const answer = await service.signoff.post('/auth/session', { username: 'alice', password: PASSWORD })
      const [cookie = ''] = String(answer.headers['set-cookie']).split(';')
      const { access, csrf_token: csrf } = answer.json as Record<string, string>
      const { sub, sid } = claimsOf(access ?? '')
      const reading = await ask({ headers: { Cookie: cookie } })
      const told = gateway.reached[0]
      const writing = await Promise.all(
        ['POST', 'PUT', 'DELETE', 'OPTIONS'].map(
          async (method) =>
            (
              await ask({
                method,
                headers: { Cookie: cookie, 'X-Forwarded-Method': 'GET', X_Forwarded_Method: 'GET' },
              })
            ).status,
        ),
      )
      await service.signoff.call('/auth/logout', {
        headers: { Cookie: cookie, 'X-CSRF-Token': csrf ?? '' },
      })

      expect(reading.status).to.equal(200)
      expect(told).to.include({ 'x-auth-user': sub, 'x-auth-session': sid, 'x-auth-role': 'user' })
      expect(writing).to.deep.equal([401, 401, 401, 401])
      expect((await ask({ headers: { Cookie: cookie } })).status).to.equal(401)
      expect(gateway.reached).to.have.length(1)
    })

    it('lets requests with a body pass whole', async () => {
      const { access } = await service.login()

      const { status } = await ask({ access, method: 'POST', body: 'x'.repeat(100_000) })

      expect(status).to.equal(200)
      expect(gateway.reached[0]).to.include({ 'content-length': '100000' })
    })

    it('lets no header through by which a client says who it is', async () => {
      const { access } = await service.login()
      const forged = {
        'X-Auth-User': 'admin',
        'x-auth-session': 'forged',
        'X-AUTH-ROLE': 'admin',
        x_auth_user: 'admin',
        X_Auth_Role: 'admin',
        'X-Auth_Role': 'admin',
        'X_Auth-User': 'admin',
        'X-Auth-User_': 'admin',
      }

      const { status } = await ask({ access, headers: forged })

      expect(status).to.equal(200)
      expect(gateway.reached[0]).to.include({ 'x-auth-user': claimsOf(access)['sub'], 'x-auth-role': 'user' })
      expect(JSON.stringify(gateway.reached)).to.not.contain('admin').and.not.contain('forged')
    })

    it('keeps who it is when the client wants such headers dropped on the way', async () => {
      const { access } = await service.login()

      const asked = get(`${gateway.url}/`, {
        headers: { Authorization: `Bearer ${access}`, Connection: 'close, x-auth-user, X-Auth-Role' },
      })
      const [answer] = (await once(asked, 'response')) as [IncomingMessage]
      answer.resume()

      expect(answer.statusCode).to.equal(200)
      expect(gateway.reached[0]).to.include({ 'x-auth-user': claimsOf(access)['sub'], 'x-auth-role': 'user' })
    })

    it('says 401 on the very next request after the logout', async () => {
      const { access, refresh } = await service.login()
      const before = await ask({ access })

      await service.signoff.post('/auth/logout/', { refresh_token: refresh })
      const after = await ask({ access })

      expect(before.status).to.equal(200)
      expect(after.status).to.equal(401)
      expect(after.headers['www-authenticate']).to.equal('Bearer error="invalid_token"')
      expect(gateway.reached).to.have.length(1)
    })

    it('says 401 to a request without a token, with a refresh token, or with one of another issuer', async () => {
      const { refresh } = await service.login()
      const foreign = forge(service.signoff.files).access({ iss: 'https://elsewhere.example' })

      const answers = [await ask({}), await ask({ access: refresh }), await ask({ access: foreign })]

      expect(answers.map(({ status }) => status)).to.deep.equal([401, 401, 401])
      expect(answers[0]?.headers['www-authenticate']).to.equal('Bearer')
      expect(gateway.reached).to.be.empty
    })

    it('lets nobody pass while the service hangs, says so within its bound, and goes on afterwards', async () => {
      const { access } = await service.login()

      service.signoff.kill('SIGSTOP')
      // At the same time: over connections that are there, and over new ones.
      const hung = await Promise.all([ask({ access }), ask({ access }), ask({ access })]).finally(() => {
        service.signoff.kill('SIGCONT')
      })

      for (const { status, tookMs } of hung) {
        expect(status).to.be.oneOf([502, 503, 504])
        expect(tookMs).to.be.below(HANGING_MS)
      }
      expect(gateway.reached).to.be.empty
      await eventually(async () => (await ask({ access })).status === 200)
    })

    it('lets nobody pass when the service is gone', async () => {
      const { access } = await service.login()
      const before = await ask({ access })

      service.signoff.kill('SIGTERM')
      await service.signoff.exited
      const after = await ask({ access })

      expect(before.status).to.equal(200)
      expect(after.status).to.be.oneOf([502, 503, 504])
      expect(after.tookMs).to.be.below(HANGING_MS)
      expect(gateway.reached).to.have.length(1)
    })

    interface Question {
      access?: string
      method?: string
      headers?: Record<string, string>
      body?: string
    }

    async function ask({ access, method = 'GET', headers = {}, body }: Question) {
      const startMs = performance.now()
      const answer = await request(`${gateway.url}/reports?page=2`, {
        method,
        headers: { ...headers, ...(access !== undefined && { Authorization: `Bearer ${access}` }) },
        body: body ?? null,
        headersTimeout: 50_000,
      })
      await answer.body.dump()
      return { status: answer.statusCode, headers: answer.headers, tookMs: performance.now() - startMs }
    }
  })
}
