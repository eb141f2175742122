// Tokens that somebody forged, altered or mistook: every one is refused for what it is.
import { createPublicKey } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { fixedSigners } from '../../../src/tokens/access-keys.ts'
import { es256, hs256, type Signer } from '../../../src/tokens/jws.ts'
import { base64url, forgedToken, headerOf, payloadOf } from '../../support/builders/forged-token.ts'
import {
  AUDIENCE,
  grant,
  ISSUER,
  REFRESH_AUDIENCE,
  testKeys,
  testTokens,
} from '../../support/builders/test-keys.ts'
import { manualClock } from '../../support/fakes/manual-clock.ts'
import { refusalBy } from '../../support/clients/refusal-of.ts'

const clock = manualClock()
const keys = testKeys()
const tokens = testTokens(keys, clock)
const now = clock.now()

const kinds: { kind: 'access' | 'refresh'; good: string; signer: Signer; audience: string }[] = [
  {
    kind: 'access',
    good: tokens.signAccess(grant(), now + 300).token,
    signer: es256(keys),
    audience: AUDIENCE,
  },
  {
    kind: 'refresh',
    good: tokens.signRefresh(grant(), true).token,
    signer: hs256(keys.refreshSecret),
    audience: REFRESH_AUDIENCE,
  },
]

/** The most that ACCESS_TOKEN_TTL and SESSION_MAX_AGE may be. */
const LONGEST_SECONDS = { access: 86_400, refresh: 31_536_000 }

const outcome = (token: string) => refusalBy(() => tokens.verify(token))
/** For ending its session. */
const outcomeOfEnding = (token: string) => refusalBy(() => tokens.identify(token))

for (const { kind, good, signer, audience } of kinds) {
  const header = headerOf(good)
  const payload = payloadOf(good)
  const withClaims = (claims: object) => forgedToken(header, { ...payload, ...claims }, signer)
  const withHeader = (members: object) => forgedToken({ ...header, ...members }, payload, signer)

  describe(`a forged ${kind} token`, () => {
    it('is accepted when nothing is wrong with it, members nobody knows included', () => {
      expect(outcome(forgedToken(header, payload, signer))).to.equal('resolved')
      expect(outcome(withClaims({ nbf: now + 5, extra: { deep: [1] } }))).to.equal('resolved')
      expect(outcome(withHeader({ x: 'y', cty: 'JWT' }))).to.equal('resolved')
      expect(outcome(withClaims({ exp: now + LONGEST_SECONDS[kind] }))).to.equal('resolved')
    })

    describe('is token_invalid when its header', () => {
      const headers: Record<string, string> = {
        'has alg none, and no signature': `${base64url({ ...header, alg: 'none' })}.${good.split('.')[1] ?? ''}.`,
        'has alg none, and some signature': withHeader({ alg: 'none' }),
        'has alg None': withHeader({ alg: 'None' }),
        'has alg in another case': withHeader({ alg: String(header['alg']).toLowerCase() }),
        'has no alg': withHeader({ alg: undefined }),
        'has a list as alg': withHeader({ alg: [header['alg']] }),
        'has the alg of the other kind': withHeader({ alg: kind === 'access' ? 'HS256' : 'ES256' }),
        'has an alg of more bits': withHeader({ alg: kind === 'access' ? 'ES384' : 'HS512' }),
        'has no typ': withHeader({ typ: undefined }),
        'has typ JWT': withHeader({ typ: 'JWT' }),
        'has the typ of the other kind': withHeader({ typ: kind === 'access' ? 'rt+jwt' : 'at+jwt' }),
        'has typ in another case': withHeader({ typ: String(header['typ']).toUpperCase() }),
        'has typ as a media type': withHeader({ typ: `application/${String(header['typ'])}` }),
        'asks for an extension': withHeader({ crit: ['exp'], exp: 1 }),
        'asks for no extension at all': withHeader({ crit: [] }),
        'asks for a null extension': withHeader({ crit: null }),
        'asks for an unencoded payload': withHeader({ b64: false, crit: ['b64'] }),
      }
      for (const [what, token] of Object.entries(headers)) {
        it(what, () => {
          expect(outcome(token)).to.equal('token_invalid')
          expect(outcomeOfEnding(token)).to.equal('token_invalid')
        })
      }
    })

    describe('is token_invalid when its claim', () => {
      const claims: Record<string, object> = {
        'iss is of somebody else': { iss: 'https://elsewhere.test' },
        'iss has a slash more': { iss: `${ISSUER}/` },
        'iss is a list': { iss: [ISSUER] },
        'iss is missing': { iss: undefined },
        'aud is of somebody else': { aud: 'others' },
        'aud is of the other kind': { aud: kind === 'access' ? REFRESH_AUDIENCE : AUDIENCE },
        'aud is a list that has ours in it': { aud: [audience] },
        'aud is a list that has ours and another in it': { aud: ['others', audience] },
        'aud is missing': { aud: undefined },
        'aud is null': { aud: null },
        'sub is missing': { sub: undefined },
        'sub is no id of a user': { sub: 'alice' },
        'sub is a number': { sub: 1 },
        'sub is in upper case': { sub: String(payload['sub']).toUpperCase() },
        'sub has braces': { sub: `{${String(payload['sub'])}}` },
        'sub has no hyphens': { sub: String(payload['sub']).replaceAll('-', '') },
        'jti is missing': { jti: undefined },
        'jti is empty': { jti: '' },
        'jti is a number': { jti: 7 },
        'jti is in upper case': { jti: String(payload['jti']).toUpperCase() },
        'jti would reach into another key': { jti: '*' },
        'sid is missing': { sid: undefined },
        'sid is empty': { sid: '' },
        'sid is in upper case': { sid: String(payload['sid']).toUpperCase() },
        'sid has no hyphens': { sid: String(payload['sid']).replaceAll('-', '') },
        'sid is a URN': { sid: `urn:uuid:${String(payload['sid'])}` },
        'sid has a space': { sid: `${String(payload['sid'])} ` },
        'sid would reach into another key': { sid: `${String(payload['sid'])}:x` },
        'token_type is missing': { token_type: undefined },
        'token_type is of the other kind': { token_type: kind === 'access' ? 'refresh' : 'access' },
        'scope is a list': { scope: ['user'] },
        'iat is missing': { iat: undefined },
        'iat is a text': { iat: String(now) },
        'iat is no whole number': { iat: now + 0.5, exp: now + 60 },
        'exp is no whole number': { exp: now + 60.5 },
        'exp is later than any that we issue': { exp: now + LONGEST_SECONDS[kind] + 1 },
        'exp is in the year 9999': { exp: 253_402_300_799 },
        'iat lies far back, and exp ahead': { iat: 0 },
        'nbf is a text': { nbf: String(now) },
        'nbf is null': { nbf: null },
        'exp is missing': { exp: undefined },
        'exp is a text': { exp: String(now + 60) },
        'exp is null': { exp: null },
        'exp is true': { exp: true },
        'exp is a list': { exp: [now + 60] },
      }
      for (const [what, change] of Object.entries(claims)) {
        it(what, () => {
          expect(outcome(withClaims(change))).to.equal('token_invalid')
          expect(outcomeOfEnding(withClaims(change))).to.equal('token_invalid')
        })
      }

      const later: Record<string, object> = {
        'iat is beyond the leeway': { iat: now + 6 },
        'nbf is beyond the leeway': { nbf: now + 6 },
        'iat and nbf are years ahead': { iat: now + 1e9, nbf: now + 1e9, exp: now + 1e9 + 60 },
      }
      for (const [what, change] of Object.entries(later)) {
        it(`${what}, but for ending its session`, () => {
          expect(outcome(withClaims(change))).to.equal('token_invalid')
          expect(outcomeOfEnding(withClaims(change))).to.equal('resolved')
        })
      }

      it('exp is more than any number', () => {
        const text = JSON.stringify({ ...payload, exp: 1 }).replace('"exp":1', '"exp":1e999')

        expect(text).to.include('"exp":1e999')
        expect(outcome(forgedToken(header, text, signer))).to.equal('token_invalid')
      })

      it('jti is there by inheritance alone', () => {
        const text = JSON.stringify({ ...payload, jti: undefined, PROTO: { jti: payload['jti'] } })

        expect(outcome(forgedToken(header, text.replace('PROTO', '__proto__'), signer))).to.equal(
          'token_invalid',
        )
      })
    })

    describe('is token_expired when its claim', () => {
      for (const exp of [now - 5, now - 6, 0, -1]) {
        it(`exp is ${exp}`, () => {
          expect(outcome(withClaims({ exp }))).to.equal('token_expired')
        })
      }
    })

    it('is judged by the last of claims with the same name, as other readers judge it', () => {
      const text = JSON.stringify(payload)

      const expiredLast = `${text.slice(0, -1)},"exp":1}`
      const expiredFirst = `{"exp":1,${text.slice(1)}`

      expect(outcome(forgedToken(header, expiredLast, signer))).to.equal('token_expired')
      expect(outcome(forgedToken(header, expiredFirst, signer))).to.equal('resolved')
    })

    it('is token_invalid, not token_expired, when its signature is not ours', () => {
      const stranger = testKeys()
      const strange = kind === 'access' ? es256(stranger) : hs256(stranger.refreshSecret)

      expect(outcome(forgedToken(header, { ...payload, exp: 1 }, strange))).to.equal('token_invalid')
      expect(outcome(forgedToken(header, payload, strange))).to.equal('token_invalid')
    })

    it('is token_invalid with the signature of another of our tokens', () => {
      const [head, , tail] = good.split('.')
      const swapped = `${head ?? ''}.${base64url({ ...payload, sub: payload['jti'] })}.${tail ?? ''}`

      expect(outcome(swapped)).to.equal('token_invalid')
    })

    it('is token_invalid or as it was, whatever is spliced into it', () => {
      fc.assert(
        fc.property(
          fc.nat(good.length),
          fc.nat(good.length),
          fc.string({ maxLength: 20 }),
          (from, to, text) => {
            const spliced = good.slice(0, from) + text + good.slice(to)

            expect(outcome(spliced)).to.equal(spliced === good ? 'resolved' : 'token_invalid')
          },
        ),
        { numRuns: 200 },
      )
    })
  })
}

describe('a forged refresh token', () => {
  const { good = '', signer = es256(keys) } = kinds.find(({ kind }) => kind === 'refresh') ?? {}
  const withGeneration = (gen: unknown) => forgedToken(headerOf(good), { ...payloadOf(good), gen }, signer)

  it('is accepted with any generation that there can be, or with none', () => {
    for (const gen of [0, 1, 2 ** 31, Number.MAX_SAFE_INTEGER, undefined]) {
      expect(outcome(withGeneration(gen)), String(gen)).to.equal('resolved')
    }
  })

  for (const gen of ['0', '1', '', -1, 1.5, 2 ** 53, null, true, false, [0], { $gt: 0 }]) {
    it(`is token_invalid when its generation is ${JSON.stringify(gen)}`, () => {
      expect(outcome(withGeneration(gen))).to.equal('token_invalid')
    })
  }
})

describe('an access token under the wrong key', () => {
  const header = headerOf(kinds[0]?.good ?? '')
  const payload = payloadOf(kinds[0]?.good ?? '')

  it('is token_invalid when HS256 has the public key as its secret, however that is spelt', () => {
    const publicKey = createPublicKey(keys.publicKey.export({ type: 'spki', format: 'pem' }))
    const secrets = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'pem' }).toString().trim(),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(publicKey.export({ format: 'jwk' })),
      '',
    ]

    for (const secret of secrets) {
      const token = forgedToken({ ...header, alg: 'HS256' }, payload, hs256(Buffer.from(secret)))
      expect(outcome(token)).to.equal('token_invalid')
    }
  })

  it('is token_invalid when it is signed with the refresh key', () => {
    const signer = hs256(keys.refreshSecret)

    expect(outcome(forgedToken({ ...header, alg: 'HS256' }, payload, signer))).to.equal('token_invalid')
    expect(outcome(forgedToken({ ...header, alg: 'HS256', kid: undefined }, payload, signer))).to.equal(
      'token_invalid',
    )
  })

  for (const kid of ['key-2', 'KEY-1', '', '__proto__', 'toString', null, undefined, 0, ['key-1']]) {
    it(`is token_invalid when its kid is ${JSON.stringify(kid) || 'missing'}`, () => {
      expect(outcome(forgedToken({ ...header, kid }, payload, es256(keys)))).to.equal('token_invalid')
    })
  }

  it('is token_invalid when it brings its own key along', () => {
    const stranger = testKeys()
    const jwk = stranger.publicKey.export({ format: 'jwk' })

    for (const members of [
      { jwk },
      { jwk, kid: undefined },
      { jku: 'https://evil.test/jwks', kid: 'evil' },
    ]) {
      const token = forgedToken({ ...header, ...members }, payload, es256(stranger))
      expect(outcome(token)).to.equal('token_invalid')
    }
  })

  for (const change of [{ user_id: grant().userId }, { user_id: undefined }, { client_id: 'another' }]) {
    it(`is token_invalid when it is of two minds: ${Object.keys(change).join()}`, () => {
      expect(outcome(forgedToken(header, { ...payload, ...change }, es256(keys)))).to.equal('token_invalid')
    })
  }
})

describe('an access token under a shared secret', () => {
  const secret = hs256(Buffer.alloc(32, 7))
  const shared = testTokens(keys, clock, { accessSigners: fixedSigners([{ signer: secret }]) })
  const sharedOutcome = (token: string) => refusalBy(() => shared.verify(token))
  const endingOutcome = (token: string) => refusalBy(() => shared.identify(token))
  const good = shared.signAccess(grant(), now + 300).token
  const header = headerOf(good)
  const payload = payloadOf(good)
  const signed = (claims: object, members: object = {}) =>
    forgedToken({ ...header, ...members }, claims, secret)

  it('is accepted as we signed it, and its id is as long as the id of a denied token may be', () => {
    expect(sharedOutcome(good)).to.equal('resolved')
    expect(sharedOutcome(signed(payload))).to.equal('resolved')
    expect(payload['jti']).to.match(/^[\w-]{64}$/)
  })

  it('is token_invalid when it has a kid', () => {
    expect(sharedOutcome(signed(payload, { kid: 'key-1' }))).to.equal('token_invalid')
  })

  const another = payloadOf(shared.signAccess(grant(), now + 300).token)
  const forgeries: Record<string, object> = {
    'a UUID as its id, as a holder of the secret would make it': { jti: grant().sid },
    'the seal of another of our tokens': { jti: another['jti'] },
    'no seal': { jti: undefined },
    'an empty seal': { jti: '' },
    'a seal of zeros': { jti: 'A'.repeat(64) },
    'a list as its seal': { jti: [payload['jti']] },
    'another spelling of its seal': { jti: `${String(payload['jti'])}=` },
    'another session, as it is spelt in upper case': { sid: String(payload['sid']).toUpperCase() },
    'a claim more': { nbf: now - 1 },
  }
  for (const [what, change] of Object.entries(forgeries)) {
    it(`is token_invalid with ${what}`, () => {
      expect(sharedOutcome(signed({ ...payload, ...change }))).to.equal('token_invalid')
      expect(endingOutcome(signed({ ...payload, ...change }))).to.equal('token_invalid')
    })
  }

  it('is token_invalid when any claim is altered, left out or added', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.uuid())
    const change = fc.oneof(
      fc.tuple(fc.constantFrom(...Object.keys(payload)), fc.option(value, { nil: undefined })),
      fc.tuple(fc.string({ minLength: 1 }), value),
    )
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const claims: Record<string, unknown> = { ...payload, ...Object.fromEntries(changes) }
        const isSame = JSON.stringify(claims) === JSON.stringify(payload)

        expect(sharedOutcome(signed(claims))).to.equal(isSame ? 'resolved' : 'token_invalid')
      }),
      { numRuns: 300 },
    )
  })

  it('is token_invalid when any letter of its seal is another', () => {
    const jti = String(payload['jti'])
    for (let at = 0; at < jti.length; at++) {
      const altered = jti.slice(0, at) + (jti[at] === 'A' ? 'B' : 'A') + jti.slice(at + 1)
      expect(sharedOutcome(signed({ ...payload, jti: altered })), `letter ${at}`).to.equal('token_invalid')
    }
  })

  it('is token_invalid at a service with another refresh key', () => {
    const elsewhere = testTokens(testKeys(), clock, { accessSigners: fixedSigners([{ signer: secret }]) })

    expect(refusalBy(() => elsewhere.verify(good))).to.equal('token_invalid')
  })

  it('is accepted by another instance with the same keys, whatever its ACCESS_TOKEN_TTL is today', () => {
    const instance = testTokens(keys, clock, {
      accessSigners: fixedSigners([{ signer: secret }]),
      accessTtlSeconds: 1,
    })

    expect(refusalBy(() => instance.verify(good))).to.equal('resolved')
  })

  it('has an id of its own each time', () => {
    const subject = grant()
    const jtis = Array.from({ length: 50 }, () => payloadOf(shared.signAccess(subject, now + 9).token)['jti'])

    expect(new Set(jtis).size).to.equal(50)
  })
})
