// What is remembered of verified access tokens spares the signature and nothing else.
import { expect } from 'chai'
import type { AccessSigners, NamedSigner } from '../../../src/tokens/jwt-tokens.ts'
import { es256, type Signer } from '../../../src/tokens/jws.ts'
import { grant, testKeys, testTokens } from '../../support/builders/test-keys.ts'
import { manualClock, type ManualClock } from '../../support/fakes/manual-clock.ts'
import { refusalBy } from '../../support/clients/refusal-of.ts'

const FAR_AWAY = 9_999_999_999

describe('access tokens that were verified before', () => {
  const keys = testKeys('key-1')
  let clock: ManualClock
  let verifications: number
  /** Those that are published now, by their names. */
  let published: Map<unknown, NamedSigner>

  const counting = (signer: Signer): Signer => ({
    ...signer,
    verify: (input, signature) => {
      verifications += 1
      return signer.verify(input, signature)
    },
  })
  const named = (kid: string, signer: Signer): NamedSigner => ({ kid, signer: counting(signer) })
  const tokens = () => {
    const accessSigners: AccessSigners = {
      signing: () => published.get('key-1') as NamedSigner,
      find: (kid) => published.get(kid),
      findRetiredToo: (kid) => published.get(kid),
    }
    return testTokens(keys, clock, { accessSigners })
  }

  beforeEach(() => {
    clock = manualClock()
    verifications = 0
    published = new Map([['key-1', named('key-1', es256(keys))]])
  })

  it('cost one signature, however often they are checked', () => {
    const ours = tokens()
    const { token } = ours.signAccess(grant(), FAR_AWAY)

    const checks = [ours.verify(token), ours.verify(token), ours.identify(token).claims]

    expect(verifications).to.equal(1)
    expect(new Set(checks).size).to.equal(1)
  })

  it('share claims that nobody can change', () => {
    const ours = tokens()
    const { token } = ours.signAccess(grant(), FAR_AWAY)

    const claims = ours.verify(token)

    expect(() => Object.assign(claims, { sub: 'somebody else' })).to.throw(TypeError)
  })

  it('expire all the same', () => {
    const ours = tokens()
    const { token } = ours.signAccess(grant(), FAR_AWAY)
    ours.verify(token)

    clock.advance(306)

    expect(refusalBy(() => ours.verify(token))).to.equal('token_expired')
  })

  it('are refused once their key is gone', () => {
    const ours = tokens()
    const { token } = ours.signAccess(grant(), FAR_AWAY)
    ours.verify(token)

    published.clear()

    expect(refusalBy(() => ours.verify(token))).to.equal('token_invalid')
  })

  it('are verified anew under another key of the same name', () => {
    const ours = tokens()
    const { token } = ours.signAccess(grant(), FAR_AWAY)
    ours.verify(token)

    published.set('key-1', named('key-1', es256(testKeys('key-1'))))

    expect(refusalBy(() => ours.verify(token))).to.equal('token_invalid')
    expect(verifications).to.equal(2)
  })

  it('say nothing of a token that differs in a letter', () => {
    const ours = tokens()
    const { token } = ours.signAccess(grant(), FAR_AWAY)
    ours.verify(token)
    const at = token.length - 10
    const altered = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)

    expect(refusalBy(() => ours.verify(altered))).to.equal('token_invalid')
  })

  it('are not remembered where they were refused', () => {
    const ours = tokens()
    const { token } = testTokens(testKeys('key-1'), clock).signAccess(grant(), FAR_AWAY)

    const refusals = [refusalBy(() => ours.verify(token)), refusalBy(() => ours.verify(token))]

    expect(refusals).to.deep.equal(['token_invalid', 'token_invalid'])
    expect(verifications).to.equal(2)
  })
})
