// What a verifier accepts and refuses, and when it asks its issuer for keys: over HTTP, by a clock of the test's.
import { expect } from 'chai'
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT, type CryptoKey } from 'jose'
import {
  createVerifier,
  type DenylistSource,
  type TokenError,
  type Verdict,
  type Verifier,
  type VerifierOptions,
} from '../../../src/peer/index.ts'
import { accessToken } from '../../support/builders/access-token.ts'
import { issuerKey, type Claims, type IssuerKey } from '../../support/builders/foreign-issuer.ts'
import { manualClock, type ManualClock } from '../../support/fakes/manual-clock.ts'
import { jwksServer, type JwksServer } from '../../support/servers/jwks-server.ts'
import { tokenRefusalOf } from '../../support/clients/token-refusal.ts'

const ISSUER = 'https://signoff.test'

describe('createVerifier', () => {
  let clock: ManualClock
  let server: JwksServer
  let verifier: Verifier
  let verdict: Verdict
  let checks: number
  let errors: Error[]
  let [first, second]: IssuerKey[] = []

  const denylist: DenylistSource = () => ({
    check: () => {
      checks += 1
      return verdict
    },
    onSessionEnd: () => () => undefined,
    freshness: () => ({ isKnown: true, ageSeconds: 0, denials: 0, lastError: null }),
    whenKnown: async () => {
      await Promise.resolve()
    },
    close: async () => {
      await Promise.resolve()
    },
  })

  before(async () => {
    first = await issuerKey('first')
    second = await issuerKey('second')
  })
  beforeEach(async () => {
    clock = manualClock()
    verdict = 'live'
    checks = 0
    errors = []
    server = await jwksServer([key('first').jwk])
    verifier = create()
  })
  afterEach(async () => {
    await verifier.close()
    await server.stop()
  })

  function key(name: 'first' | 'second'): IssuerKey {
    const found = name === 'first' ? first : second
    if (!found) throw new Error('no key yet')
    return found
  }
  function create(options: Partial<VerifierOptions> = {}): Verifier {
    return createVerifier({
      issuer: ISSUER,
      audience: 'signoff',
      jwksUrl: server.url.href,
      clock: clock.now,
      onError: (error) => errors.push(error),
      denylist,
      ...options,
    })
  }
  const minted = async (changes: Claims = {}, header: Claims = {}) =>
    (await accessToken(key('first'), { issuer: ISSUER, now: clock.now(), changes, header })).token
  const of = async (signer: IssuerKey) =>
    (await accessToken(signer, { issuer: ISSUER, now: clock.now() })).token
  const outcome = async (token: string | null | undefined, by = verifier) =>
    await tokenRefusalOf(by.verify(token))

  describe('with a token that is not good', () => {
    it('tells a missing one from a wrong one', async () => {
      expect(
        await Promise.all([undefined, null, ''].map(async (token) => await outcome(token))),
      ).to.deep.equal(['token_missing', 'token_missing', 'token_missing'])
      expect(
        await Promise.all(['x', '.', '..', 'a.b.c', ' '].map(async (token) => await outcome(token))),
      ).to.deep.equal(Array.from({ length: 5 }, () => 'token_invalid'))
      expect(verifier.counters()).to.include({ missing: 3, invalid: 5 })
    })

    for (const [what, changes] of Object.entries<Claims>({
      'another issuer': { iss: 'https://other.test' },
      'another audience': { aud: 'other' },
      'an audience among several': { aud: ['signoff'] },
      'the type of a refresh token': { token_type: 'refresh' },
      'no type': { token_type: undefined },
      'no session': { sid: undefined },
      'an empty session': { sid: '' },
      'a session that is no text': { sid: 1 },
      'no user': { sub: undefined },
      'no id': { jti: undefined },
      'no end': { exp: undefined },
      'an end that is no number': { exp: '9999999999' },
      'no beginning': { iat: undefined },
      'a beginning in the future': { iat: 1_800_000_000 + 6 },
      'a nbf in the future': { nbf: 1_800_000_000 + 6 },
      'a nbf that is no number': { nbf: 'now' },
      'no scope': { scope: undefined },
    })) {
      it(`refuses one with ${what}`, async () => {
        expect(await outcome(await minted(changes))).to.equal('token_invalid')
        expect(checks).to.equal(0)
      })
    }

    for (const { what, changes, difference } of [
      {
        what: 'issuer',
        changes: { iss: 'https://other.test' },
        difference: `iss is "https://other.test", not ${ISSUER}`,
      },
      { what: 'audience', changes: { aud: 'other' }, difference: 'aud is "other", not signoff' },
    ]) {
      it(`tells once of many that are for another ${what}: the setting may be wrong`, async () => {
        for (let index = 0; index < 3; index++) await outcome(await minted(changes))

        expect(errors.map(({ message }) => message)).to.deep.equal([
          `the issuer's keys signed a token for others: ${difference}`,
        ])
      })
    }

    it('tells nobody of what strangers have signed', async () => {
      const stranger = await issuerKey('first')
      const { token } = await accessToken(stranger, { issuer: 'https://other.test', now: clock.now() })

      expect(await outcome(token)).to.equal('token_invalid')
      expect(errors).to.deep.equal([])
    })

    for (const [what, header] of Object.entries<Claims>({
      'of no type': { typ: undefined },
      'of the type JWT': { typ: 'JWT' },
      'of the type of refresh tokens': { typ: 'rt+jwt' },
      'with a critical extension': { crit: ['b64'], b64: true },
      'of a key that nobody has': { kid: 'other' },
    })) {
      it(`refuses one ${what}`, async () => {
        expect(await outcome(await minted({}, header))).to.equal('token_invalid')
      })
    }

    it('refuses other algorithms: none, and the public key as a shared secret', async () => {
      const { claims } = await accessToken(key('first'), { issuer: ISSUER, now: clock.now() })
      const secret = new TextEncoder().encode(
        await exportSPKI((await importJWK(key('first').jwk)) as CryptoKey),
      )
      const shared = await new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'first' })
        .sign(secret)
      const rsa = await issuerKey('rsa', 'RS256')
      server.publish([key('first').jwk, rsa.jwk])

      expect(await outcome(shared)).to.equal('token_invalid')
      expect(await outcome(new UnsecuredJWT({ ...claims }).encode())).to.equal('token_invalid')
      expect(await outcome(await of(rsa))).to.equal('token_invalid')
    })

    it('refuses one that was altered in any part, also after the good one was accepted', async () => {
      const token = await minted()
      await verifier.verify(token)
      const other = (await minted()).split('.')

      for (const part of [0, 1, 2]) {
        const altered = token.split('.').map((text, index) => (index === part ? `${text}A` : text))
        expect(await outcome(altered.join('.'))).to.equal('token_invalid')
      }
      expect(await outcome([...token.split('.').slice(0, 2), other[2]].join('.'))).to.equal('token_invalid')
    })

    it('takes a token in one spelling only, as the service does', async () => {
      const token = await minted()
      const next = (text: string) => String.fromCharCode(text.charCodeAt(0) + 1)
      await verifier.verify(token)

      for (const [what, spelling] of Object.entries({
        'white space at its end': `${token}\t`,
        'white space within': `${token.slice(0, -9)}\t\t${token.slice(-9)}`,
        padding: `${token}==`,
        'bits that do not count': `${token.slice(0, -1)}${next(token.slice(-1))}`,
      })) {
        expect(await outcome(spelling), what).to.equal('token_invalid')
      }
    })

    it('refuses one of more than 8 KiB without asking for keys', async () => {
      const token = await minted({ padding: 'x'.repeat(8 * 1024) })
      await verifier.ready()
      const asked = server.requests()

      expect(await outcome(token)).to.equal('token_invalid')
      expect(await outcome('x'.repeat(10_000_000))).to.equal('token_invalid')
      expect(server.requests()).to.equal(asked)
    })
  })

  describe('with time', () => {
    it('lets clocks be five seconds apart, and no more', async () => {
      const [early, tooEarly] = [
        await minted({ iat: clock.now() + 5 }),
        await minted({ iat: clock.now() + 6 }),
      ]
      const token = await minted({ exp: clock.now() + 10 })

      expect(await outcome(early)).to.equal('resolved')
      expect(await outcome(tooEarly)).to.equal('token_invalid')
      clock.advance(14)
      expect(await outcome(token)).to.equal('resolved')
      clock.advance(1)
      expect(await outcome(token)).to.equal('token_expired')
      expect(verifier.counters().expired).to.equal(1)
    })

    it('lets them be as far apart as it is told', async () => {
      const strict = create({ leewaySeconds: 0 })

      expect(await outcome(await minted({ iat: clock.now() + 1 }), strict)).to.equal('token_invalid')
      await strict.close()
    })
  })

  describe('with a denylist', () => {
    it('asks it every time, also about a token whose signature it knows', async () => {
      const token = await minted()
      const before = [await outcome(token), await outcome(token)]

      verdict = 'denied'

      expect(before).to.deep.equal(['resolved', 'resolved'])
      expect(await outcome(token)).to.equal('token_denied')
      expect(checks).to.equal(3)
    })

    it('takes a token that is too old for the denylist as expired, whatever is allowed', async () => {
      verdict = 'too_old'
      const allowing = create({ onUnknown: 'allow' })

      expect(await outcome(await minted())).to.equal('token_expired')
      expect(await outcome(await minted(), allowing)).to.equal('token_expired')
      await allowing.close()
    })
  })

  it('hands out claims that nobody can change for the next one', async () => {
    const token = await minted({ scope: 'user' })
    const claims = await verifier.verify(token)

    expect(() => Object.assign(claims, { scope: 'admin' })).to.throw(TypeError)
    expect((await verifier.verify(token)).scope).to.equal('user')
  })

  describe('and its issuer', () => {
    it('fetches keys at once, and once for all who wait', async () => {
      const tokens = await Promise.all(Array.from({ length: 20 }, async () => await minted()))

      expect(new Set(await Promise.all(tokens.map(async (token) => await outcome(token))))).to.deep.equal(
        new Set(['resolved']),
      )
      expect(server.requests()).to.equal(1)
    })

    it('fetches for an unknown key at once, and after that at most once a minute', async () => {
      await verifier.ready()
      server.publish([key('first').jwk, key('second').jwk])

      expect(await outcome(await of(key('second')))).to.equal('resolved')
      for (let index = 0; index < 20; index++) await outcome(await minted({}, { kid: `unknown-${index}` }))
      expect(server.requests()).to.equal(2)
      clock.advance(60)
      await outcome(await minted({}, { kid: 'unknown' }))
      expect(server.requests()).to.equal(3)
    })

    it('forgets what it knew of signatures once a key is withdrawn', async () => {
      const token = await minted()
      const before = await outcome(token)
      server.publish([key('second').jwk])

      expect(await outcome(await of(key('second')))).to.equal('resolved')
      expect(before).to.equal('resolved')
      expect(await outcome(token)).to.equal('token_invalid')
    })

    it('keeps its keys while the issuer is down, and cannot tell of others', async () => {
      await verifier.ready()
      server.answer(500, '')

      expect(await outcome(await minted())).to.equal('resolved')
      expect(await outcome(await of(key('second')))).to.equal('keys_unavailable')
      expect(verifier.counters().keysUnavailable).to.equal(1)
    })

    it('refuses with keys_unavailable what it never had keys for, whatever is allowed, and says why', async () => {
      server.answer(500, '')
      const allowing = create({ onUnknown: 'allow' })

      expect(await outcome(await minted(), allowing)).to.equal('keys_unavailable')
      const failure = await allowing.ready(50).then(
        () => null,
        (error: unknown) => error as TokenError,
      )
      expect(failure?.code).to.equal('keys_unavailable')
      expect(((failure?.cause as Error).cause as Error).message).to.equal(`${server.url.href} answered 500`)
      expect(errors.map(({ message }) => message)).to.include(
        `the keys cannot be fetched from ${server.url.href}`,
      )
      await allowing.close()
    })

    it('serves as soon as an issuer that was down is back', async () => {
      server.answer(500, '')
      const late = create()
      await outcome(await minted(), late)

      server.publish([key('first').jwk])
      clock.advance(1)

      expect(await outcome(await minted(), late)).to.equal('resolved')
      await late.close()
    })
  })

  it('goes on when nobody can be told of what went wrong', async () => {
    const deaf = create({
      onError: () => {
        throw new Error('the log is full')
      },
    })
    await deaf.ready()
    server.answer(500, '')

    expect(await outcome(await of(key('second')), deaf)).to.equal('keys_unavailable')
    await deaf.close()
  })

  it('refuses options that cannot work', () => {
    expect(() => create({ issuer: 'http://signoff.test', jwksUrl: 'http://signoff.test' })).to.throw(
      TypeError,
      'https://',
    )
    expect(() => create({ issuer: 'signoff', jwksUrl: 'x' })).to.throw(TypeError)
    expect(() => create({ issuer: '' })).to.throw(TypeError, 'issuer')
    expect(() => create({ issuer: `${ISSUER}/` })).to.throw(TypeError, 'no slash')
    expect(() => create({ audience: '' })).to.throw(TypeError, 'audience')
    const credentials = { clientId: 'shop', clientSecret: 's' } as unknown as DenylistSource
    expect(() => create({ denylist: credentials })).to.throw(TypeError, 'denylist')
    for (const leewaySeconds of [-1, 61, NaN])
      expect(() => create({ leewaySeconds })).to.throw(RangeError, 'leeway')
  })
})
