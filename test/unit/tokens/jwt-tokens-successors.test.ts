// Successors of refresh tokens, made again whenever they are asked for; and which tokens say that they are ours.
import { expect } from 'chai'
import fc from 'fast-check'
import { jwtVerify } from 'jose'
import { v7 as uuidv7 } from 'uuid'
import { hs256 } from '../../../src/tokens/jws.ts'
import { base64url, headerOf, payloadOf } from '../../support/builders/forged-token.ts'
import { grant, ISSUER, REFRESH_AUDIENCE, testKeys, testTokens } from '../../support/builders/test-keys.ts'
import { manualClock } from '../../support/fakes/manual-clock.ts'

const UUID_V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const keys = testKeys()

describe('signSuccessor', () => {
  const clock = manualClock()
  const tokens = testTokens(keys, clock)
  const successor = { generation: 3, issuedAt: clock.now() - 100, expiresAt: clock.now() + 1000 }

  it('signs a refresh token of that generation, which jose verifies', async () => {
    const subject = grant({ scope: 'admin' })

    const signed = tokens.signSuccessor(subject, successor)
    const { payload, protectedHeader } = await jwtVerify(signed.token, keys.refreshSecret, {
      currentDate: new Date(clock.nowMs()),
      algorithms: ['HS256'],
      typ: 'rt+jwt',
      issuer: ISSUER,
      audience: REFRESH_AUDIENCE,
    })

    expect(protectedHeader).to.deep.equal({ alg: 'HS256', typ: 'rt+jwt' })
    expect(signed).to.include({ jti: payload.jti, exp: successor.expiresAt })
    expect(payload).to.deep.equal({
      iss: ISSUER,
      aud: REFRESH_AUDIENCE,
      sub: subject.userId,
      jti: tokens.successorJti(subject.sid, 3),
      sid: subject.sid,
      iat: successor.issuedAt,
      exp: successor.expiresAt,
      scope: 'admin',
      token_type: 'refresh',
      gen: 3,
    })
  })

  it('signs what verify accepts', () => {
    const { token } = tokens.signSuccessor(grant(), successor)

    expect(tokens.verify(token)).to.deep.equal(payloadOf(token))
  })

  it('signs the same bytes for the same input, later and after a restart too', () => {
    const subject = grant()
    const later = manualClock(clock.now() + 5000)
    const restarted = testTokens({ ...testKeys(), refreshSecret: keys.refreshSecret }, later)

    const made = [tokens, tokens, restarted].map((signing) => signing.signSuccessor(subject, successor).token)

    expect(new Set(made).size).to.equal(1)
  })

  it('signs other bytes when anything else is asked for', () => {
    const subject = grant()
    const made = [
      tokens.signSuccessor(subject, successor),
      tokens.signSuccessor({ ...subject, sid: uuidv7() }, successor),
      tokens.signSuccessor({ ...subject, userId: uuidv7() }, successor),
      tokens.signSuccessor({ ...subject, scope: 'admin' }, successor),
      tokens.signSuccessor({ ...subject, persistent: true }, successor),
      tokens.signSuccessor(subject, { ...successor, generation: 4 }),
      tokens.signSuccessor(subject, { ...successor, issuedAt: successor.issuedAt + 1 }),
      tokens.signSuccessor(subject, { ...successor, expiresAt: successor.expiresAt + 1 }),
    ]

    expect(new Set(made.map(({ token }) => token)).size).to.equal(8)
  })

  it('says that its cookie is kept where that is asked for, and nothing of it elsewhere', () => {
    const subject = grant({ persistent: true })

    const [kept, again, other] = [subject, subject, grant()].map(
      (asked) => tokens.signSuccessor(asked, successor).token,
    )

    expect(kept).to.equal(again)
    expect(tokens.verify(kept ?? '')).to.include({ persistent: true })
    expect(payloadOf(other ?? '')).not.to.have.property('persistent')
  })
})

describe('successorJti', () => {
  const tokens = testTokens(keys, manualClock())

  it('is a UUID of version 8, the same each time, another for each session and generation', () => {
    fc.assert(
      fc.property(twoDifferent(fc.uuid({ version: 7 })), twoDifferent(fc.nat()), (sids, generations) => {
        const jti = tokens.successorJti(sids.one, generations.one)

        expect(jti).to.match(UUID_V8)
        expect(tokens.successorJti(sids.one, generations.one)).to.equal(jti)
        expect(tokens.successorJti(sids.other, generations.one)).not.to.equal(jti)
        expect(tokens.successorJti(sids.one, generations.other)).not.to.equal(jti)
      }),
      { numRuns: 100 },
    )
  })

  it('cannot be foretold without the refresh key', () => {
    const sid = uuidv7()
    const stranger = testTokens(testKeys(), manualClock())

    expect(stranger.successorJti(sid, 1)).not.to.equal(tokens.successorJti(sid, 1))
  })
})

describe('isOurs', () => {
  const clock = manualClock()
  const tokens = testTokens(keys, clock)
  const unsigned = (header: object, payload: object) => `${base64url(header)}.${base64url(payload)}.AAAA`

  const access = tokens.signAccess(grant(), clock.now() + 300).token
  const refresh = tokens.signRefresh(grant(), true).token
  const stranger = testTokens(testKeys(), clock, { refreshSigner: hs256(Buffer.alloc(32, 1)) })

  const cases: { what: string; token: string; ours: boolean }[] = [
    { what: 'an access token of ours', token: access, ours: true },
    { what: 'a refresh token of ours', token: refresh, ours: true },
    {
      what: 'one that is signed by somebody else',
      token: stranger.signRefresh(grant(), false).token,
      ours: true,
    },
    {
      what: 'one with nothing but our typ and iss in it',
      token: unsigned({ typ: 'at+jwt' }, { iss: ISSUER }),
      ours: true,
    },
    {
      what: 'one whose time is over',
      token: unsigned(headerOf(access), { ...payloadOf(access), exp: 1 }),
      ours: true,
    },
    {
      what: 'one of another issuer',
      token: unsigned({ typ: 'at+jwt' }, { iss: 'https://elsewhere.test' }),
      ours: false,
    },
    {
      what: 'one whose iss has a slash more',
      token: unsigned({ typ: 'at+jwt' }, { iss: `${ISSUER}/` }),
      ours: false,
    },
    { what: 'one without an issuer', token: unsigned({ typ: 'at+jwt' }, {}), ours: false },
    { what: 'one of our issuer with typ JWT', token: unsigned({ typ: 'JWT' }, { iss: ISSUER }), ours: false },
    {
      what: 'one of our issuer without a typ',
      token: unsigned({ alg: 'HS256' }, { iss: ISSUER }),
      ours: false,
    },
    { what: 'garbage', token: 'garbage', ours: false },
    { what: 'nothing', token: '', ours: false },
  ]
  for (const { what, token, ours } of cases) {
    it(`is ${ours} for ${what}`, () => {
      expect(tokens.isOurs(token)).to.equal(ours)
    })
  }
})

function twoDifferent<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<{ one: T; other: T }> {
  return fc.record({ one: arbitrary, other: arbitrary }).filter(({ one, other }) => one !== other)
}
