// An issuer's keys over HTTP: fetched when they are needed, kept, and not asked for too often.
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { exportJWK } from 'jose'
import type { ForeignTokens } from '../../../src/auth/ports/tokens.ts'
import {
  FOREIGN_AUDIENCE,
  FOREIGN_ISSUER,
  issuedClaims,
  issuedToken,
  issuerKey,
  type IssuerKey,
} from '../../support/builders/foreign-issuer.ts'
import { base64url } from '../../support/builders/forged-token.ts'
import { closePrimesModulus, goodModulus, rsaJwk, type RsaJwk } from '../../support/builders/weak-rsa-keys.ts'
import { HANGING_MS } from '../../support/clients/hanging.ts'
import { testForeignTokens } from '../../support/builders/test-foreign-tokens.ts'
import { manualClock, type ManualClock } from '../../support/fakes/manual-clock.ts'
import { jwksServer, type JwksServer } from '../../support/servers/jwks-server.ts'
import { refusalOf } from '../../support/clients/refusal-of.ts'

describe('foreignTokens of an issuer with a JWKS URL', () => {
  let clock: ManualClock
  let server: JwksServer
  let tokens: ForeignTokens
  let failures: string[]
  let weak: string[]
  let first: IssuerKey
  let second: IssuerKey

  before(async () => {
    first = await issuerKey('first')
    second = await issuerKey('second')
  })

  beforeEach(async () => {
    clock = manualClock()
    failures = []
    weak = []
    server = await jwksServer([first.jwk])
    tokens = testForeignTokens(clock, {
      issuers: [{ issuer: FOREIGN_ISSUER, audience: FOREIGN_AUDIENCE, keys: { jwksUrl: server.url } }],
      onFetchFailure: (url) => failures.push(url.href),
      onWeakKey: (_url, { kid, problem }) => weak.push(`${String(kid)}: ${problem}`),
    })
  })

  afterEach(async () => {
    await server.stop()
  })

  const outcome = async (key: IssuerKey, header: Record<string, unknown> = {}) =>
    await refusalOf(issuedToken(key, issuedClaims(clock.now()), header).then((token) => tokens.verify(token)))

  it('fetches the keys once for all who wait, and keeps them', async () => {
    const together = await Promise.all(Array.from({ length: 20 }, () => outcome(first)))
    const later = await outcome(first)

    expect(new Set([...together, later])).to.deep.equal(new Set(['resolved']))
    expect(server.requests()).to.equal(1)
  })

  describe('that publishes RSA keys', () => {
    const E = 'an RSA key whose e is odd and at least 65537 is expected'

    it('takes those with which nothing is wrong', async () => {
      const rsa = await issuerKey('rsa', 'RS256')
      server.publish([rsa.jwk])

      expect([await outcome(rsa), weak]).to.deep.equal(['resolved', []])
    })

    const weakKeys: Record<string, { jwk: () => RsaJwk; problem: string }> = {
      'an exponent of 1': { jwk: () => rsaJwk(goodModulus(), 1n), problem: E },
      'an even exponent': { jwk: () => rsaJwk(goodModulus(), 65_538n), problem: E },
      'an exponent of 3': { jwk: () => rsaJwk(goodModulus(), 3n), problem: E },
      '1024 bits': {
        jwk: () => rsaJwk(goodModulus(1024)),
        problem: 'an RSA key of at least 2048 bits is expected',
      },
      'close factors': {
        jwk: () => rsaJwk(closePrimesModulus()),
        problem: 'the RSA key can be broken: the factors of its n are close together',
      },
    }
    for (const [what, { jwk, problem }] of Object.entries(weakKeys)) {
      it(`takes no token of one with ${what}, tells of it once, and goes on with the others`, async () => {
        const rsa = await issuerKey('weak', 'RS256')
        server.publish([{ ...jwk(), kid: 'weak' }, first.jwk])

        const outcomes = [await outcome(rsa), await outcome(first)]
        clock.advance(601)
        outcomes.push(await outcome(first), await outcome(rsa))

        expect(outcomes).to.deep.equal(['token_invalid', 'resolved', 'resolved', 'token_invalid'])
        expect(weak).to.deep.equal([`weak: ${problem}`])
        expect(server.requests()).to.be.above(1)
      })
    }

    it('takes none under an exponent of 1, which everybody can sign', async () => {
      server.publish([{ ...rsaJwk(goodModulus(), 1n), kid: 'one', alg: 'RS256' }])
      const header = base64url({ alg: 'RS256', kid: 'one' })
      const input = `${header}.${base64url(issuedClaims(clock.now()))}`

      const token = `${input}.${base64url(paddedDigest(input))}`

      expect(await refusalOf(tokens.verify(token))).to.equal('token_invalid')
    })
  })

  it('asks nobody for a token that no trusted issuer is named in', async () => {
    const token = await issuedToken(first, issuedClaims(clock.now(), { iss: server.url.href }))

    expect(await refusalOf(tokens.verify(token))).to.equal('token_invalid')
    expect(server.requests()).to.equal(0)
  })

  it('asks only the URL that it was given, whatever the header names', async () => {
    const evil = await jwksServer([second.jwk])

    const refused = await outcome(second, { kid: 'first', jku: evil.url.href, x5u: evil.url.href })

    expect(refused).to.equal('token_invalid')
    expect(evil.requests()).to.equal(0)
    await evil.stop()
  })

  it('takes a key that is new after a rotation, and refuses the old one from then on', async () => {
    const before = await outcome(first)
    server.publish([second.jwk])

    const after = [await outcome(second), await outcome(first)]

    expect([before, ...after]).to.deep.equal(['resolved', 'resolved', 'token_invalid'])
    expect(server.requests()).to.equal(2)
  })

  it('fetches for an unknown key at once, and after that at most once a minute', async () => {
    await outcome(first)
    server.publish([first.jwk, second.jwk])
    const rotated = await Promise.all(Array.from({ length: 20 }, () => outcome(second)))
    const requestsRotated = server.requests()
    const third = await issuerKey('third')
    server.publish([first.jwk, second.jwk, third.jwk])

    const early = await outcome(third)
    clock.advance(59)
    const stillEarly = await Promise.all(Array.from({ length: 20 }, () => outcome(third)))
    const requestsEarly = server.requests()
    clock.advance(1)
    const inTime = await Promise.all(Array.from({ length: 20 }, () => outcome(third)))

    expect(new Set(rotated)).to.deep.equal(new Set(['resolved']))
    expect(requestsRotated).to.equal(2)
    expect(new Set([early, ...stillEarly])).to.deep.equal(new Set(['token_invalid']))
    expect(requestsEarly).to.equal(2)
    expect(new Set(inTime)).to.deep.equal(new Set(['resolved']))
    expect(server.requests()).to.equal(3)
  })

  it('refuses a withdrawn key after ten minutes at the latest', async () => {
    await outcome(first)
    server.publish([second.jwk])
    clock.advance(599)
    const before = await outcome(first)
    clock.advance(1)

    expect([before, await outcome(first)]).to.deep.equal(['resolved', 'token_invalid'])
  })

  it('tries each key that fits a token without a kid', async () => {
    const stranger = await issuerKey('stranger')
    server.publish([first.jwk, second.jwk])

    const outcomes = [first, second, stranger].map((key) => outcome(key, { kid: undefined }))

    expect(await Promise.all(outcomes)).to.deep.equal(['resolved', 'resolved', 'token_invalid'])
  })

  it('does not fetch again for a token without a kid', async () => {
    server.publish([first.jwk, second.jwk])
    await outcome(first)
    clock.advance(60)

    expect(await outcome(first, { kid: undefined })).to.equal('resolved')
    expect(server.requests()).to.equal(1)
  })

  it('is unavailable when the issuer publishes its private key', async () => {
    server.publish([{ ...first.jwk, ...(await exportJWK(first.privateKey)) }])

    expect(await outcome(first)).to.equal('unavailable')
  })

  it('is unavailable when the issuer hangs, within the timeout, and leaves it alone for ten seconds', async () => {
    server.hang()
    const start = performance.now()

    const hung = await Promise.all(Array.from({ length: 20 }, () => outcome(first)))
    const waitedMs = performance.now() - start
    const soon = await outcome(first)
    const requestsSoon = server.requests()
    server.publish([first.jwk])
    clock.advance(10)
    const recovered = await outcome(first)

    expect(new Set([...hung, soon])).to.deep.equal(new Set(['unavailable']))
    expect(waitedMs).to.be.within(1_900, HANGING_MS)
    expect(requestsSoon).to.equal(1)
    expect(failures).to.deep.equal([server.url.href])
    expect(recovered).to.equal('resolved')
  })

  it('is unavailable within the timeout when the issuer hangs after its headers', async () => {
    server.hang(true)
    const start = performance.now()

    expect(await outcome(first)).to.equal('unavailable')
    expect(performance.now() - start).to.be.below(HANGING_MS)
  })

  it('verifies with the keys it has while the issuer is down, and tells nothing of a key it has not', async () => {
    await outcome(first)
    server.answer(500, 'oops')
    clock.advance(86_400)

    const known = [await outcome(first), await outcome(first)]
    const unknown = await outcome(second)

    expect(known).to.deep.equal(['resolved', 'resolved'])
    expect(unknown).to.equal('unavailable')
    expect(server.requests()).to.equal(2)
  })

  it('does not wait an hour when the clock is set back by one', async () => {
    await outcome(first)
    server.publish([second.jwk])
    clock.advance(-3_600)

    expect(await outcome(second)).to.equal('resolved')
  })

  it('is unavailable when nobody listens', async () => {
    await server.stop()

    expect(await outcome(first)).to.equal('unavailable')
  })

  const useless: Record<string, Parameters<JwksServer['answer']>> = {
    'an error': [500, '{"keys":[]}'],
    'another status': [203, '{"keys":[]}'],
    'a redirect': [302, '', { location: '/elsewhere' }],
    'no JSON': [200, '<html>'],
    nothing: [200, ''],
    'no key set': [200, '{"keys":{}}'],
    'a list': [200, '[]'],
    'more than 64 KiB': [200, JSON.stringify({ keys: [], padding: 'x'.repeat(65_536) })],
    'a key that is broken': [
      200,
      '{"keys":[{"kty":"EC","crv":"P-256","kid":"first","alg":"ES256","x":"AA","y":"AA"}]}',
    ],
  }
  for (const [what, answer] of Object.entries(useless)) {
    it(`is unavailable when the issuer answers ${what}`, async () => {
      server.answer(...answer)

      expect(await outcome(first)).to.equal('unavailable')
    })
  }
})

/** What is signed under RS256 (RFC 8017 section 9.2): under an exponent of 1 it is its own signature. */
function paddedDigest(input: string): Buffer {
  const digest = createHash('sha256').update(input).digest()
  const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), digest])
  const padding = Buffer.alloc(256 - info.length - 3, 0xff)
  return Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), info])
}
