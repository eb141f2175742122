// The fake that peers test with: it does what the real feed does, and time in it goes by when told to.
import { expect } from 'chai'
import { createVerifier, type Verifier } from '../../../../src/peer/index.ts'
import { fakeSignoff, type FakeSignoff } from '../../../../src/peer/testing/index.ts'
import { peerFeedConformance } from '../../../conformance/peer-feed.ts'
import { tokenRefusalOf } from '../../../support/clients/token-refusal.ts'

peerFeedConformance('the fake', async () => {
  const fake = await fakeSignoff()
  const soon = async (work: () => void): Promise<void> => {
    work()
    await Promise.resolve()
  }
  return {
    options: fake.options,
    mint: fake.mint,
    endSession: async (sid) => {
      await soon(() => {
        fake.endSession(sid)
      })
    },
    goUnknown: async () => {
      await soon(fake.goUnknown)
    },
    comeBack: async () => {
      await soon(fake.comeBack)
    },
    close: async () => {
      await Promise.resolve()
    },
  }
})

describe('fakeSignoff', () => {
  let fake: FakeSignoff
  let verifier: Verifier

  beforeEach(async () => {
    fake = await fakeSignoff()
    verifier = createVerifier(fake.options)
  })
  afterEach(async () => {
    await verifier.close()
  })

  const outcome = async (token: string) => await tokenRefusalOf(verifier.verify(token))

  it('lets a token expire after its time and the leeway, and not before', async () => {
    const { token } = await fake.mint({ expiresInSeconds: 60 })

    fake.tick(64)
    const before = await outcome(token)
    fake.tick(1)

    expect(before).to.equal('resolved')
    expect(await outcome(token)).to.equal('token_expired')
  })

  it('mints expired tokens, and none that the service would not', async () => {
    const { token } = await fake.mint({ expiresInSeconds: -60 })

    expect(await outcome(token)).to.equal('token_expired')
    expect(await fake.mint({ expiresInSeconds: 301 }).catch((error: unknown) => error)).to.be.instanceOf(
      RangeError,
    )
  })

  it('stays known however much time goes by', async () => {
    const heard: string[] = []
    verifier.onSessionEnd('a-session', (reason) => heard.push(reason))

    fake.tick(100_000)

    expect(await outcome((await fake.mint()).token)).to.equal('resolved')
    expect(heard).to.deep.equal([])
  })

  it('tells handlers that nothing is known after a cut longer than a token lives, whatever the policy', async () => {
    const heard: string[] = []
    const allowing = createVerifier({ ...fake.options, onUnknown: 'allow' })
    allowing.onSessionEnd('a-session', (reason) => heard.push(reason))

    fake.goUnknown()
    fake.tick(298)
    const before = [...heard]
    fake.tick(2)

    expect(before).to.deep.equal([])
    expect(heard).to.deep.equal(['denylist_unknown'])
    await allowing.close()
  })

  it('serves several verifiers, and forgets one that is closed', async () => {
    const second = createVerifier(fake.options)
    const { token, claims } = await fake.mint()
    const heard: string[] = []
    verifier.onSessionEnd(claims.sid, () => heard.push('open'))
    second.onSessionEnd(claims.sid, () => heard.push('closed'))

    await second.close()
    fake.endSession(claims.sid)

    expect(heard).to.deep.equal(['open'])
    expect(await outcome(token)).to.equal('token_denied')
  })
})
