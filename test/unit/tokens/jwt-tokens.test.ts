// The pairs we sign, and which of them we accept when; jose is the independent judge.
import { expect } from 'chai'
import fc from 'fast-check'
import { jwtVerify, SignJWT } from 'jose'
import { fixedSigners } from '../../../src/tokens/access-keys.ts'
import { accessSeal } from '../../../src/tokens/access-seal.ts'
import { es256, hs256 } from '../../../src/tokens/jws.ts'
import { jwtTokens } from '../../../src/tokens/jwt-tokens.ts'
import { headerOf, payloadOf } from '../../support/builders/forged-token.ts'
import {
  AUDIENCE,
  grant,
  ISSUER,
  REFRESH_AUDIENCE,
  testKeys,
  testTokens,
} from '../../support/builders/test-keys.ts'
import { manualClock, type ManualClock } from '../../support/fakes/manual-clock.ts'
import { refusalBy } from '../../support/clients/refusal-of.ts'

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const FAR_AWAY = 9_999_999_999

const keys = testKeys('key-1')
const SECRET = Buffer.from('a secret that the peers share with the service')

describe('jwtTokens', () => {
  let clock: ManualClock

  beforeEach(() => {
    clock = manualClock()
  })

  const tokens = (options: Parameters<typeof testTokens>[2] = {}) => testTokens(keys, clock, options)
  const atNow = () => ({ currentDate: new Date(clock.nowMs()) })

  describe('signAccess', () => {
    it('signs an access token of RFC 9068, which jose verifies', async () => {
      const subject = grant({ scope: 'admin' })

      const { token, expiresIn } = tokens().signAccess(subject, FAR_AWAY)
      const { payload, protectedHeader } = await jwtVerify(token, keys.publicKey, {
        ...atNow(),
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
      })

      const { jti, ...claims } = payload
      expect(protectedHeader).to.deep.equal({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1' })
      expect(jti).to.match(UUID_V4)
      expect(expiresIn).to.equal(300)
      expect(claims).to.deep.equal({
        iss: ISSUER,
        aud: AUDIENCE,
        sub: subject.userId,
        sid: subject.sid,
        iat: clock.now(),
        exp: clock.now() + 300,
        scope: 'admin',
        client_id: 'signoff',
        token_type: 'access',
        user_id: subject.userId,
      })
    })

    it('never signs one that outlives what it is told', () => {
      fc.assert(
        fc.property(
          fc.integer({ min: -1000, max: 100_000 }),
          fc.integer({ min: 1, max: 86_400 }),
          (left, ttl) => {
            const notAfter = clock.now() + left

            const { token, expiresIn } = tokens({ accessTtlSeconds: ttl }).signAccess(grant(), notAfter)

            expect(payloadOf(token)['exp']).to.equal(Math.min(notAfter, clock.now() + ttl))
            expect(expiresIn).to.equal(Math.min(left, ttl))
          },
        ),
        { numRuns: 60 },
      )
    })

    it('gives each token an id of its own', () => {
      const subject = grant()
      const signing = tokens()

      const jtis = Array.from(
        { length: 50 },
        () => payloadOf(signing.signAccess(subject, FAR_AWAY).token)['jti'],
      )

      expect(new Set(jtis).size).to.equal(50)
    })

    it('signs with the first of several keys', async () => {
      const [first, second] = [testKeys('first'), testKeys('second')]
      const signers = [first, second].map((key) => ({ kid: key.kid, signer: es256(key) }))

      const ring = tokens({ accessSigners: fixedSigners(signers as [(typeof signers)[0]]) })
      const { token } = ring.signAccess(grant(), FAR_AWAY)

      expect(headerOf(token)['kid']).to.equal('first')
      await jwtVerify(token, first.publicKey, atNow())
    })

    it('signs HS256 without a kid under a shared secret, which jose verifies', async () => {
      const { token } = tokens({ accessSigners: fixedSigners([{ signer: hs256(SECRET) }]) }).signAccess(
        grant(),
        FAR_AWAY,
      )

      const { protectedHeader } = await jwtVerify(token, SECRET, { ...atNow(), algorithms: ['HS256'] })

      expect(protectedHeader).to.deep.equal({ alg: 'HS256', typ: 'at+jwt' })
    })
  })

  describe('signRefresh', () => {
    it('signs a refresh token under its own key, and tells its id and end', async () => {
      const subject = grant({ scope: 'admin' })

      const signed = tokens().signRefresh(subject, false)
      const { payload, protectedHeader } = await jwtVerify(signed.token, keys.refreshSecret, {
        ...atNow(),
        algorithms: ['HS256'],
        typ: 'rt+jwt',
        issuer: ISSUER,
        audience: REFRESH_AUDIENCE,
      })

      expect(protectedHeader).to.deep.equal({ alg: 'HS256', typ: 'rt+jwt' })
      expect(signed.jti).to.match(UUID_V4)
      expect(signed.exp).to.equal(clock.now() + 86_400)
      expect(payload).to.deep.equal({
        iss: ISSUER,
        aud: REFRESH_AUDIENCE,
        sub: subject.userId,
        jti: signed.jti,
        sid: subject.sid,
        iat: clock.now(),
        exp: signed.exp,
        scope: 'admin',
        token_type: 'refresh',
      })
    })

    it('is of generation 0 in a session that rotates, and of none elsewhere', () => {
      const generations = [true, false].map((rotates) =>
        payloadOf(tokens().signRefresh(grant(), rotates).token),
      )

      expect(generations[0]).to.include({ gen: 0 })
      expect(generations[1]).not.to.have.property('gen')
    })

    it('says that its cookie is kept where that is asked for, and an access token never does', () => {
      const subject = grant({ persistent: true })

      const { token } = tokens().signRefresh(subject, true)

      expect(tokens().verify(token)).to.include({ persistent: true })
      expect(payloadOf(tokens().signRefresh(grant(), true).token)).not.to.have.property('persistent')
      expect(payloadOf(tokens().signAccess(subject, FAR_AWAY).token)).not.to.have.property('persistent')
    })

    it('signs what no peer takes for an access token, even one that shares a secret', async () => {
      const { token } = tokens({ accessSigners: fixedSigners([{ signer: hs256(SECRET) }]) }).signRefresh(
        grant(),
        false,
      )

      const attempts = [SECRET, keys.publicKey].map(async (key) => {
        await jwtVerify(token, key, atNow())
      })

      const outcomes = await Promise.allSettled(attempts)
      expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
    })
  })

  describe('identify', () => {
    it('returns the claims of what it signed, whatever the clock says, and whether that has expired', () => {
      const both = tokens()
      const access = both.signAccess(grant(), FAR_AWAY).token
      const refresh = both.signRefresh(grant(), true).token

      const expired = []
      for (const seconds of [-100_000, 100_000 + 304, 1, 86_400]) {
        clock.advance(seconds)
        for (const token of [access, refresh]) {
          const { claims, hasExpired } = both.identify(token)
          expect(claims).to.deep.equal(payloadOf(token))
          expired.push(hasExpired)
        }
      }

      expect(expired).to.deep.equal([false, false, false, false, true, false, true, true])
    })

    it('is token_invalid for a token under a key that is not ours, expired or not', () => {
      const stranger = testTokens(testKeys('key-1'), clock)
      const strange = [
        stranger.signAccess(grant(), FAR_AWAY).token,
        stranger.signRefresh(grant(), true).token,
      ]

      for (const seconds of [0, 100_000]) {
        clock.advance(seconds)
        for (const token of [...strange, 'garbage', '']) {
          expect(refusalBy(() => tokens().identify(token))).to.equal('token_invalid')
        }
      }
    })

    it('is token_invalid for a pair of another issuer, or for another audience', () => {
      const elsewhere = jwtTokens({ ...optionsOf(clock), issuer: 'https://elsewhere.test' })
      const forOthers = jwtTokens({ ...optionsOf(clock), audience: 'others' })

      const foreign = [
        elsewhere.signAccess(grant(), FAR_AWAY).token,
        elsewhere.signRefresh(grant(), false).token,
        forOthers.signAccess(grant(), FAR_AWAY).token,
      ]

      for (const token of foreign) expect(refusalBy(() => tokens().identify(token))).to.equal('token_invalid')
    })
  })

  describe('verify', () => {
    it('returns the claims of what it signed, for any scope', () => {
      fc.assert(
        fc.property(fc.string({ unit: 'grapheme' }), (scope) => {
          const both = tokens()
          const subject = grant({ scope: scope })
          const { token: access } = both.signAccess(subject, FAR_AWAY)
          const { token: refresh } = both.signRefresh(subject, false)

          expect(both.verify(access)).to.deep.equal(payloadOf(access))
          expect(both.verify(refresh)).to.deep.equal(payloadOf(refresh))
          expect(both.verify(access).scope).to.equal(subject.scope)
        }),
        { numRuns: 60 },
      )
    })

    it('accepts an access token that jose signed with our key', async () => {
      const claims = payloadOf(tokens().signAccess(grant(), FAR_AWAY).token)

      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: keys.kid })
        .sign(keys.privateKey)

      expect(tokens().verify(token)).to.deep.equal(claims)
    })

    it('accepts a refresh token that jose signed with our key', async () => {
      const claims = payloadOf(tokens().signRefresh(grant(), true).token)

      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'rt+jwt' })
        .sign(keys.refreshSecret)

      expect(tokens().verify(token)).to.deep.equal(claims)
    })

    it('accepts the tokens of every published key, and of none that is not', () => {
      const [first, second, gone] = [testKeys('first'), testKeys('second'), testKeys('gone')]
      const ring = tokens({
        accessSigners: fixedSigners([
          { kid: first.kid, signer: es256(first) },
          { kid: second.kid, signer: es256(second) },
        ]),
      })

      const outcomes = [first, second, gone].map((key) => {
        const { token } = testTokens(key, clock).signAccess(grant(), FAR_AWAY)
        return refusalBy(() => ring.verify(token))
      })

      expect(outcomes).to.deep.equal(['resolved', 'resolved', 'token_invalid'])
    })

    it('is token_invalid for a pair of another issuer, or for another audience', () => {
      const elsewhere = jwtTokens({ ...optionsOf(clock), issuer: 'https://elsewhere.test' })
      const forOthers = jwtTokens({ ...optionsOf(clock), audience: 'others' })

      const foreign = [
        elsewhere.signAccess(grant(), FAR_AWAY).token,
        elsewhere.signRefresh(grant(), false).token,
        forOthers.signAccess(grant(), FAR_AWAY).token,
      ]

      for (const token of foreign) expect(refusalBy(() => tokens().verify(token))).to.equal('token_invalid')
    })

    for (const kind of ['access', 'refresh'] as const) {
      const sign = (): string => {
        const signing = tokens()
        return kind === 'access'
          ? signing.signAccess(grant(), FAR_AWAY).token
          : signing.signRefresh(grant(), false).token
      }
      const ttl = kind === 'access' ? 300 : 86_400

      it(`takes ${kind} tokens to the end of the leeway, and is token_expired from then on`, () => {
        const token = sign()
        const outcomeAt = (seconds: number) => {
          clock.advance(seconds)
          const outcome = refusalBy(() => tokens().verify(token))
          clock.advance(-seconds)
          return outcome
        }

        expect([0, ttl - 1, ttl, ttl + 4, ttl + 5, ttl + 6, ttl * 10].map(outcomeAt)).to.deep.equal([
          'resolved',
          'resolved',
          'resolved',
          'resolved',
          'token_expired',
          'token_expired',
          'token_expired',
        ])
      })

      it(`takes ${kind} tokens of a clock that is ahead by the leeway, and of no later one`, () => {
        clock.advance(5)
        const ahead = sign()
        clock.advance(1)
        const tooFarAhead = sign()
        clock.advance(-6)

        expect(refusalBy(() => tokens().verify(ahead))).to.equal('resolved')
        expect(refusalBy(() => tokens().verify(tooFarAhead))).to.equal('token_invalid')
      })

      it(`knows no leeway for ${kind} tokens where it is set to none`, () => {
        const strict = tokens({ leewaySeconds: 0 })
        const token = sign()

        clock.advance(ttl - 1)
        const last = refusalBy(() => strict.verify(token))
        clock.advance(1)

        expect(last).to.equal('resolved')
        expect(refusalBy(() => strict.verify(token))).to.equal('token_expired')
      })

      it(`is token_invalid for ${kind} tokens with any letter changed`, () => {
        const token = sign()

        for (let at = 0; at < token.length; at++) {
          const letter = token[at] === 'A' ? 'B' : 'A'
          const altered = token.slice(0, at) + letter + token.slice(at + 1)
          expect(
            refusalBy(() => tokens().verify(altered)),
            `letter ${at}`,
          ).to.equal('token_invalid')
        }
      })
    }
  })
})

function optionsOf(clock: ManualClock): Parameters<typeof jwtTokens>[0] {
  return {
    accessSigners: fixedSigners([{ kid: keys.kid, signer: es256(keys) }]),
    refreshSigner: hs256(keys.refreshSecret),
    accessSeal: accessSeal(keys.sealKey),
    issuer: ISSUER,
    audience: AUDIENCE,
    accessTtlSeconds: 300,
    refreshTtlSeconds: 86_400,
    leewaySeconds: 5,
    now: clock.now,
  }
}
