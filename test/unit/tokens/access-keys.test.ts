// The keys at each moment: which signs, which verify, and which are published.
import { expect } from 'chai'
import { scheduledAccessKeys, sharedAccessKeys, type AccessKeys } from '../../../src/tokens/access-keys.ts'
import type { SigningKeys } from '../../../src/tokens/signing-keys.ts'
import { headerOf } from '../../support/builders/forged-token.ts'
import { grant, testKeys, testTokens } from '../../support/builders/test-keys.ts'
import { manualClock, type ManualClock } from '../../support/fakes/manual-clock.ts'
import { refusalBy } from '../../support/clients/refusal-of.ts'

const HOLD = 315

describe('scheduledAccessKeys', () => {
  let clock: ManualClock
  let keys: SigningKeys
  let access: AccessKeys

  beforeEach(() => {
    clock = manualClock()
    keys = [
      { ...testKeys('old'), signsFrom: null },
      { ...testKeys('new'), signsFrom: clock.now() + 100 },
    ]
    access = scheduledAccessKeys({ keys: () => keys, holdSeconds: HOLD, now: clock.now })
  })

  const published = () => access.jwks().keys.map(({ kid }) => kid)
  const tokens = () =>
    testTokens(testKeys(), clock, { accessSigners: access.signers, refreshTtlSeconds: 9999 })
  const sign = () => tokens().signAccess(grant(), clock.now() + 300).token

  it('publishes a key before it signs, and the one before it until its last token is dead', () => {
    const seen = [published()]
    clock.advance(100)
    seen.push(published())
    clock.advance(HOLD - 1)
    seen.push(published())
    clock.advance(1)
    seen.push(published())

    expect(seen).to.deep.equal([['old', 'new'], ['old', 'new'], ['old', 'new'], ['new']])
  })

  it('signs with the next key from its time on, with nobody doing anything', () => {
    const before = sign()
    clock.advance(99)
    const last = sign()
    clock.advance(1)

    const after = sign()

    expect([before, last, after].map((token) => headerOf(token)['kid'])).to.deep.equal(['old', 'old', 'new'])
  })

  it('verifies tokens of the key before until they are dead, and of the next one before its time', () => {
    const ahead = scheduledAccessKeys({ keys: () => keys, holdSeconds: HOLD, now: () => clock.now() + 100 })
    const early = testTokens(testKeys(), clock, { accessSigners: ahead.signers }).signAccess(
      grant(),
      clock.now() + 300,
    )
    const outcomes = [refusalBy(() => tokens().verify(early.token))]
    clock.advance(99)
    const late = sign()
    clock.advance(304)
    outcomes.push(refusalBy(() => tokens().verify(late)))

    expect(outcomes).to.deep.equal(['resolved', 'resolved'])
  })

  it('refuses whatever a retired key has signed, and still knows whose a dead token was', () => {
    const old = sign()
    clock.advance(100 + HOLD)
    const [key] = keys
    const forged = testTokens({ ...testKeys(), ...key }, clock).signAccess(grant(), clock.now() + 300)

    expect(refusalBy(() => tokens().verify(forged.token))).to.equal('token_invalid')
    expect(tokens().identify(old)).to.include({ hasExpired: true })
  })

  it('takes other keys as soon as the file has them', () => {
    keys = [{ ...testKeys('another'), signsFrom: null }]

    expect(published()).to.deep.equal(['another'])
    expect(headerOf(sign())['kid']).to.equal('another')
  })
})

describe('sharedAccessKeys', () => {
  it('signs with the secret alone, and publishes nothing', () => {
    const { signers, jwks } = sharedAccessKeys('a secret')

    expect(signers.signing().signer.alg).to.equal('HS256')
    expect(signers.signing()).not.to.have.property('kid')
    expect(signers.find(undefined)).to.equal(signers.signing())
    expect(signers.find('a')).to.equal(undefined)
    expect(jwks()).to.deep.equal({ keys: [] })
  })
})
