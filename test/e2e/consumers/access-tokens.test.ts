// Consumers as their authors ship them take our access tokens, and nothing else that we or others sign.
import { createPublicKey, generateKeyPairSync, sign, type JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { FETCH_TIMEOUT_MS } from '../../support/servers/debian-packages.ts'
import { claimsOf } from '../../support/service/environment.ts'
import { epochNow, forge, hs256, signingInput, type Claims, type Forge } from '../../support/clients/forge.ts'
import { ownIssuer, type OwnIssuer } from '../../support/service/own-issuer.ts'
import type { RunningConsumer } from './consumer.ts'
import { expressOauth2JwtBearer } from './express-oauth2-jwt-bearer.ts'
import { jose } from './jose.ts'
import { koaJwt } from './koa-jwt.ts'
import { oauth4webapi } from './oauth4webapi.ts'
import { simplejwt } from './simplejwt.ts'

describe('unmodified consumers', () => {
  let service: OwnIssuer
  let tokens: Forge
  let pair: { access: string; refresh: string }

  before(async function () {
    this.timeout(FETCH_TIMEOUT_MS)
    service = await ownIssuer()
    const { files } = service.signoff
    tokens = forge(files)
    pair = await service.login()
  })
  after(async () => {
    await service.stop()
  })

  for (const consumer of [jose, koaJwt, expressOauth2JwtBearer, oauth4webapi, simplejwt]) {
    describe(consumer.name, () => {
      let running: RunningConsumer

      before(async function () {
        this.timeout(FETCH_TIMEOUT_MS)
        running = await consumer.start(service)
      })
      after(async () => {
        await running.stop()
      })

      it('takes an access token', async () => {
        expect(await running.statusFor(pair.access)).to.equal(200)
      })

      it('takes a token of the right key with the right claims', async () => {
        expect(await running.statusFor(tokens.access({ iss: service.issuer }))).to.equal(200)
      })

      it('refuses a refresh token', async () => {
        expect(await running.statusFor(pair.refresh)).to.equal(401)
      })

      it('refuses a refresh token that claims to be an access token', async () => {
        const claims = { ...claimsOf(pair.access), token_type: 'access' }
        const disguised = tokens.refresh(claims, { typ: 'at+jwt', ...headerOf(pair.access), alg: 'HS256' })

        expect(await running.statusFor(disguised)).to.equal(401)
      })

      it('refuses an altered token', async () => {
        const [header, , signature] = pair.access.split('.')
        const payload = Buffer.from(JSON.stringify({ ...claimsOf(pair.access), scope: 'admin' }))

        const altered = [header, payload.toString('base64url'), signature].join('.')

        expect(await running.statusFor(altered)).to.equal(401)
      })

      it('refuses an expired token', async () => {
        const past = { iss: service.issuer, iat: epochNow() - 600, exp: epochNow() - 300 }

        expect(await running.statusFor(tokens.access(past))).to.equal(401)
      })

      it('refuses a token of another issuer, and one for another audience', async () => {
        const foreign = tokens.access({ iss: 'https://elsewhere.example' })
        const notForUs = tokens.access({ iss: service.issuer, aud: 'elsewhere' })

        expect(await running.statusFor(foreign)).to.equal(401)
        expect(await running.statusFor(notForUs)).to.equal(401)
      })

      it('refuses a token that somebody else signed under our key id', async () => {
        expect(await running.statusFor(signedByOther(headerOf(pair.access)))).to.equal(401)
      })

      it('refuses a token that nobody signed, and one signed with what is public', async () => {
        const header = headerOf(pair.access)
        const unsigned = `${signingInput({ ...header, alg: 'none' }, claimsOf(pair.access))}.`
        const withPublicKey = hs256({ ...header, alg: 'HS256' }, claimsOf(pair.access), publicPem())

        expect(await running.statusFor(unsigned)).to.equal(401)
        expect(await running.statusFor(withPublicKey)).to.equal(401)
      })

      it('refuses what is no token', async () => {
        expect(await running.statusFor('nonsense')).to.equal(401)
      })
    })
  }

  function signedByOther(header: Claims): string {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const input = signingInput(header, claimsOf(pair.access))
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return `${input}.${signature.toString('base64url')}`
  }

  function publicPem(): string {
    const { keys } = JSON.parse(readFileSync(service.signoff.files.signingKeysFile, 'utf8')) as {
      keys: [JsonWebKey]
    }
    return createPublicKey({ key: keys[0], format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()
  }
})

function headerOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Claims
}
