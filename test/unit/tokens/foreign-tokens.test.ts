// Which tokens of other services are accepted, and under which id; jose signs them.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { importSPKI, SignJWT, UnsecuredJWT } from 'jose'
import { AuthError } from '../../../src/auth/errors.ts'
import type { ForeignTokensOptions } from '../../../src/tokens/foreign-tokens.ts'
import { hs256 } from '../../../src/tokens/jws.ts'
import {
  FOREIGN_AUDIENCE,
  FOREIGN_ISSUER,
  issuedClaims,
  issuedToken,
  issuerKey,
  type Claims,
  type IssuerKey,
} from '../../support/builders/foreign-issuer.ts'
import { base64url, forgedToken } from '../../support/builders/forged-token.ts'
import { MAX_AGE_SECONDS, testForeignTokens } from '../../support/builders/test-foreign-tokens.ts'
import { ISSUER } from '../../support/builders/test-keys.ts'
import { manualClock, type ManualClock } from '../../support/fakes/manual-clock.ts'
import { refusalOf } from '../../support/clients/refusal-of.ts'

const SECRET = 'a secret that this service shares with another one'
const OTHER_ISSUER = 'https://sso.example.org'
const SIGNED_WITH_SECRET: Claims = { iss: undefined, aud: undefined }

describe('foreignTokens', () => {
  let clock: ManualClock
  let key: IssuerKey
  let otherKey: IssuerKey

  before(async () => {
    key = await issuerKey('key')
    otherKey = await issuerKey('other')
  })

  beforeEach(() => {
    clock = manualClock()
  })

  const tokens = (options: Partial<ForeignTokensOptions> = {}) =>
    testForeignTokens(clock, {
      secretKey: SECRET,
      issuers: [
        { issuer: FOREIGN_ISSUER, audience: FOREIGN_AUDIENCE, keys: { jwks: { keys: [key.jwk] } } },
        { issuer: OTHER_ISSUER, audience: FOREIGN_AUDIENCE, keys: { jwks: { keys: [otherKey.jwk] } } },
      ],
      ...options,
    })
  const claims = (changes: Claims = {}) => issuedClaims(clock.now(), changes)
  const issued = async (changes: Claims = {}, header: Claims = {}) =>
    await issuedToken(key, claims(changes), header)
  const shared = async (changes: Claims = {}, header: Claims = {}, secret: string | Buffer = SECRET) =>
    await new SignJWT(claims({ ...SIGNED_WITH_SECRET, ...changes }))
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...header })
      .sign(Buffer.from(secret))
  const outcome = async (token: string, options: Partial<ForeignTokensOptions> = {}) =>
    await refusalOf(tokens(options).verify(token))

  describe('with SECRET_KEY', () => {
    it('accepts a token that jose signed with it, and tells its end', async () => {
      const { issuer, expiresAt } = await tokens().verify(await shared())

      expect({ issuer, expiresAt }).to.deep.equal({ issuer: null, expiresAt: clock.now() + 60 })
    })

    it('accepts any issuer and audience, and tells the issuer', async () => {
      const token = await shared({ iss: 'https://anyone.test', aud: ['a', 'b'] }, { typ: 'at+jwt' })

      expect((await tokens().verify(token)).issuer).to.equal('https://anyone.test')
    })

    it('refuses another secret, and another algorithm under the same one', async () => {
      const long = SECRET.padEnd(64)
      const hs512 = await shared({}, { alg: 'HS512' }, long)

      expect(await outcome(await shared({}, {}, `${SECRET}!`))).to.equal('token_invalid')
      expect(await outcome(hs512, { secretKey: long })).to.equal('token_invalid')
    })

    it('lets nobody speak for a trusted issuer with it', async () => {
      expect(await outcome(await shared({ iss: FOREIGN_ISSUER }))).to.equal('token_invalid')
      expect(await outcome(await shared({ iss: 'https://stranger.example' }))).to.equal('resolved')
    })

    it('lets nobody speak for this service with it, whatever type the token names', async () => {
      for (const typ of ['JWT', 'at+jwt', 'rt+jwt', undefined]) {
        expect(await outcome(await shared({ iss: ISSUER }, { typ }))).to.equal('token_invalid')
      }
      expect(await outcome(await shared({ iss: ISSUER, exp: 1 }))).to.equal('token_invalid')
    })

    it('accepts no HS256 when there is none, whoever the issuer', async () => {
      for (const token of [await shared(), await shared({ iss: FOREIGN_ISSUER, aud: FOREIGN_AUDIENCE })]) {
        expect(await outcome(token, { secretKey: null })).to.equal('token_invalid')
      }
    })
  })

  describe('with a trusted issuer', () => {
    it('accepts its token, and tells issuer and end', async () => {
      const { issuer, expiresAt } = await tokens().verify(await issued())

      expect({ issuer, expiresAt }).to.deep.equal({ issuer: FOREIGN_ISSUER, expiresAt: clock.now() + 60 })
    })

    for (const alg of ['ES384', 'ES512', 'RS256', 'RS512', 'PS256', 'PS384', 'EdDSA']) {
      it(`accepts ${alg}`, async () => {
        const signer = await issuerKey('k', alg)
        const keys = { jwks: { keys: [signer.jwk] } }
        const issuers = [{ issuer: FOREIGN_ISSUER, audience: FOREIGN_AUDIENCE, keys }]

        expect(await outcome(await issuedToken(signer, claims()), { issuers })).to.equal('resolved')
      })
    }

    it('accepts one key whatever kid the token names, under its algorithm only', async () => {
      const rsa = await issuerKey('rsa', 'RS256')
      const publicKey = await importSPKI(rsa.pem, 'RS256')
      const keys = { publicKey, algorithm: 'RS256' } as const
      const issuers = [{ issuer: FOREIGN_ISSUER, audience: FOREIGN_AUDIENCE, keys }]

      expect(await outcome(await issuedToken(rsa, claims()), { issuers })).to.equal('resolved')
      expect(await outcome(await issued(), { issuers })).to.equal('token_invalid')
    })

    it('accepts its audience among others', async () => {
      expect(await outcome(await issued({ aud: ['else', FOREIGN_AUDIENCE] }))).to.equal('resolved')
    })

    it('accepts whatever type the header names', async () => {
      for (const typ of ['JWT', 'at+jwt', 'anything', undefined]) {
        expect(await outcome(await issued({}, { typ }))).to.equal('resolved')
      }
    })
  })

  describe('refuses as token_invalid', () => {
    const payload = () => base64url(claims())
    const forgeries: Record<string, () => Promise<string> | string> = {
      'alg none': () => `${base64url({ alg: 'none' })}.${payload()}.`,
      'alg none with a signature': () => `${base64url({ alg: 'none' })}.${payload()}.AAAA`,
      'an unsecured token of jose': () => new UnsecuredJWT(claims()).encode(),
      'no alg': () => forgedToken({}, claims(), hs256(Buffer.from(SECRET))),
      'HS256 under the public key as PEM': () => shared(claims(), {}, key.pem),
      'HS256 under the public key as JWK': () => shared(claims(), {}, JSON.stringify(key.jwk)),
      'HS384 under the public key': () => shared(claims(), { alg: 'HS384' }, key.pem.repeat(2)),
      'the key of another trusted issuer': () => issuedToken(otherKey, claims()),
      'that key under the kid of this one': () => issuedToken(otherKey, claims(), { kid: 'key' }),
      'a key in its header': () => issuedToken(otherKey, claims(), { kid: 'key', jwk: otherKey.jwk }),
      'a kid that is unknown': () => issued({}, { kid: 'unknown' }),
      'a kid that is a number': () =>
        forgedToken({ alg: 'ES256', kid: 7 }, claims(), hs256(Buffer.from('x'))),
      'an issuer nobody trusts': () => issued({ iss: 'https://evil.test' }),
      'no issuer': () => issued({ iss: undefined }),
      'an issuer spelt differently': () => issued({ iss: `${FOREIGN_ISSUER}/` }),
      'an issuer that is a list': () => issued({ iss: [FOREIGN_ISSUER] }),
      'an issuer that is a number, under the secret': () => shared({ iss: 7 }),
      'another audience': () => issued({ aud: 'others' }),
      'no audience': () => issued({ aud: undefined }),
      'an audience that contains ours': () => issued({ aud: `${FOREIGN_AUDIENCE}s` }),
      'an audience in a list in a list': () => issued({ aud: [[FOREIGN_AUDIENCE]] }),
      'exp as a text': () => issued({ exp: String(clock.now() + 60) }),
      'exp null': () => shared({ exp: null }),
      'nbf as a text': () => shared({ nbf: '0' }),
      'iat as a text': () => issued({ iat: '0' }),
      'an expired token with a bad signature': () =>
        issuedToken(otherKey, claims({ exp: 1 }), { kid: 'key' }),
      'an expired token under another secret': () => shared({ exp: 1 }, {}, `${SECRET}!`),
      'a refresh token under another secret': () => shared({ token_type: 'refresh' }, {}, `${SECRET}!`),
      'extensions that are critical': () =>
        forgedToken({ alg: 'HS256', crit: ['b64'], b64: true }, claims(), hs256(Buffer.from(SECRET))),
      'another payload': async () => {
        const [header, , signature] = (await issued()).split('.')
        return [header, base64url(claims({ jti: 'other' })), signature].join('.')
      },
      padding: async () => `${await issued()}==`,
      'a space behind it': async () => `${await shared()} `,
      'unused bits that are set': async () => withUnusedBits(await issued()),
      'unused bits that are set, under the secret': async () => withUnusedBits(await shared()),
      'a signature that is cut off': async () => (await issued()).slice(0, -2),
      'a signature in DER': async () =>
        (await issued()).replace(/[^.]+$/, base64url(Buffer.from('3006020101020101', 'hex'))),
    }
    for (const [what, forge] of Object.entries(forgeries)) {
      it(what, async () => {
        expect(await outcome(await forge())).to.equal('token_invalid')
      })
    }
  })

  describe('is token_outlives_denial, as no denial would hold for so long, for', () => {
    const latest = () => clock.now() + MAX_AGE_SECONDS + 5
    const longLived: Record<string, () => Promise<string> | string> = {
      'a token without exp': () => issued({ exp: undefined }),
      'one without exp, under the secret': () => shared({ exp: undefined }),
      'one with an infinite exp': () =>
        forgedToken({ alg: 'HS256' }, '{"exp":1e999}', hs256(Buffer.from(SECRET))),
      'one that ends in the year 9999': () => shared({ exp: 253_402_300_799 }),
      'one that ends after all dates': () => issued({ exp: 1e300 }),
      'one that ends a second too late': () => issued({ exp: latest() + 1 }),
      'one that ends a moment too late': () => shared({ exp: latest() + 0.001 }),
    }
    for (const [what, make] of Object.entries(longLived)) {
      it(what, async () => {
        expect(await outcome(await make())).to.equal('token_outlives_denial')
      })
    }

    it('none that ends in time, whenever it began, and none once it has little left', async () => {
      const long = await issued({ exp: latest() + 1000 })

      expect(await outcome(await issued({ exp: latest() }))).to.equal('resolved')
      expect(await outcome(await shared({ iat: 1, exp: latest() }))).to.equal('resolved')
      clock.advance(1000)
      expect(await outcome(long)).to.equal('resolved')
    })

    it('nothing that is no token, or of the wrong type', async () => {
      expect(await outcome(await shared({ exp: undefined }, {}, `${SECRET}!`))).to.equal('token_invalid')
      expect(await outcome(await shared({ exp: undefined, token_type: 'refresh' }))).to.equal(
        'token_wrong_type',
      )
    })

    it('and tells of it once a minute', async () => {
      const told: object[] = []
      const verifier = tokens({ onOutlivesDenial: (token) => told.push(token) })
      const attempt = async (token: string) => await refusalOf(verifier.verify(token))

      await attempt(await issued({ exp: undefined }))
      await attempt(await shared({ exp: 4e9 }))
      clock.advance(60)
      await attempt(await shared({ exp: 4e9 }))

      expect(told).to.deep.equal([
        { issuer: FOREIGN_ISSUER, expiresAt: null },
        { issuer: null, expiresAt: 4e9 },
      ])
    })
  })

  it('is token_wrong_type for refresh tokens', async () => {
    const refresh = [
      await shared({ token_type: 'refresh' }),
      await issued({ token_type: 'refresh' }),
      await shared({}, { typ: 'rt+jwt' }),
      await issued({}, { typ: 'rt+jwt' }),
    ]

    for (const token of refresh) expect(await outcome(token)).to.equal('token_wrong_type')
  })

  for (const kind of ['shared', 'issued'] as const) {
    it(`takes an ${kind} token to the end of the leeway, and is token_expired from then on`, async () => {
      const token = kind === 'shared' ? await shared() : await issued()
      const outcomes: string[] = []
      for (const seconds of [0, 60, 4, 1, 100_000]) {
        clock.advance(seconds)
        outcomes.push(await outcome(token))
      }

      expect(outcomes).to.deep.equal(['resolved', 'resolved', 'resolved', 'token_expired', 'token_expired'])
    })
  }

  it('takes one of a clock that is ahead, by however much: it can be ended, not used', async () => {
    const ahead = clock.now() + 100_000

    expect(await outcome(await issued({ iat: ahead, nbf: ahead }))).to.equal('resolved')
    expect(await outcome(await shared({ iat: ahead, nbf: ahead }))).to.equal('resolved')
  })

  it('rounds a fractional end up, so that the denial lasts as long as the token', async () => {
    const { expiresAt } = await tokens().verify(await shared({ exp: clock.now() + 1.25 }))

    expect(expiresAt).to.equal(clock.now() + 2)
  })

  describe('id', () => {
    const idOf = async (token: string) => (await tokens().verify(token)).id

    it('is that of the documentation', async () => {
      const doc = readFileSync(new URL('../../../docs/bearer-logout.md', import.meta.url), 'utf8')
      const examples = [...doc.matchAll(/printf %s '(.+)' \| sha256sum\n(\w+)/g)]
      const hs = hs256(Buffer.from(SECRET))
      const exp = clock.now() + 60

      const ids = await Promise.all([
        idOf(await issued({ jti: 'order-17' })),
        idOf(await shared({ iss: 'https://münchen.example', jti: '7' })),
        idOf(await shared({ jti: 'order-17' })),
        idOf(forgedToken({ alg: 'HS256' }, { exp }, hs)),
      ])

      expect(ids).to.deep.equal(examples.map(([, , hash]) => hash))
      for (const [, text = '', hash] of examples) expect(sha256(text)).to.equal(hash)
    })

    it('is the same for a token that was signed again, ordered differently or retyped', async () => {
      const [first, second] = [await issued(), await issued()]
      const respelt = await issuedToken(key, Object.fromEntries(Object.entries(claims()).reverse()), {
        typ: 'x',
      })

      expect(new Set([first, second, respelt]).size).to.equal(3)
      expect(new Set(await Promise.all([first, second, respelt].map(idOf))).size).to.equal(1)
    })

    it('is the same without a jti too, however the signature is made', async () => {
      const [first, second] = [await issued({ jti: undefined }), await issued({ jti: undefined })]

      expect(first).not.to.equal(second)
      expect(await idOf(first)).to.equal(await idOf(second))
    })

    it('differs between tokens, and between issuers with the same jti', async () => {
      const ids = await Promise.all(
        [
          await issued(),
          await issued({ jti: 'other' }),
          await issued({ jti: undefined }),
          await issued({ jti: undefined, sub: 'other' }),
          await issuedToken(otherKey, claims({ iss: OTHER_ISSUER })),
        ].map(idOf),
      )

      expect(new Set(ids).size).to.equal(ids.length)
      for (const id of ids) expect(id).to.match(/^[0-9a-f]{64}$/)
    })
  })

  it('rejects with nothing but AuthError, whatever comes', async () => {
    const verifier = tokens()
    const part = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => base64url(JSON.stringify(value))),
    )
    const header = fc.record(
      {
        alg: fc.oneof(fc.constantFrom('HS256', 'ES256', 'RS256', 'none'), fc.jsonValue()),
        kid: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    const payload = fc.record({ iss: fc.oneof(fc.constant(FOREIGN_ISSUER), fc.jsonValue()) })
    const arbitrary = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.tuple(part, part, part).map((parts) => parts.join('.')),
      fc
        .tuple(header.map(base64url), payload.map(base64url), fc.base64String())
        .map((parts) => parts.join('.')),
    )

    await fc.assert(
      fc.asyncProperty(arbitrary, async (token) => {
        expect(await refusalOf(verifier.verify(token))).to.equal('token_invalid')
      }),
      { numRuns: 500 },
    )
  })

  it('takes any claims under the secret, or rejects with an AuthError', async () => {
    const verifier = tokens()
    const names = fc.constantFrom('iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'token_type', '__proto__')

    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, fc.jsonValue()), async (payload) => {
        const token = forgedToken({ alg: 'HS256' }, payload, hs256(Buffer.from(SECRET)))
        const result = await verifier.verify(token).catch((error: unknown) => error)

        if (!(result instanceof AuthError)) expect(result).to.have.keys('id', 'issuer', 'expiresAt')
      }),
    )
  })
})

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The same bytes to a lenient decoder: the last letter carries bits that are not used. */
function withUnusedBits(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + (alphabet[alphabet.indexOf(token.at(-1) ?? '') + 1] ?? '')
}
