// What a verifier on a feed must do, whether the feed is real or the fake of peers' tests.
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { createVerifier, type Verifier, type VerifierOptions } from '../../src/peer/index.ts'
import type { MintedToken, MintOptions } from '../../src/peer/testing/index.ts'
import { tokenRefusalOf } from '../support/clients/token-refusal.ts'

export interface PeerFeedSubject {
  /** To be spread into those of a verifier. */
  options: Pick<VerifierOptions, 'issuer' | 'audience' | 'denylist'> & Partial<VerifierOptions>
  mint(options?: MintOptions): Promise<MintedToken>
  /** Resolves when whoever listens has heard of it. */
  endSession(sid: string): Promise<void>
  /** Resolves when the lease is over. */
  goUnknown(): Promise<void>
  /** Resolves when whoever listens has caught up. */
  comeBack(): Promise<void>
  close(): Promise<void>
}

export function peerFeedConformance(name: string, create: () => Promise<PeerFeedSubject>): void {
  describe(`${name} under a verifier`, () => {
    let subject: PeerFeedSubject
    let verifiers: Verifier[]
    let errors: Error[]

    beforeEach(async () => {
      subject = await create()
      verifiers = []
      errors = []
    })
    afterEach(async () => {
      await Promise.all(
        verifiers.map(async (verifier) => {
          await verifier.close()
        }),
      )
      await subject.close()
    })

    async function ready(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
      const verifier = createVerifier({
        ...subject.options,
        onError: (error) => errors.push(error),
        ...options,
      })
      verifiers.push(verifier)
      await verifier.ready()
      return verifier
    }
    const outcome = async (verifier: Verifier, token: string) => await tokenRefusalOf(verifier.verify(token))

    function listen(verifier: Verifier, sid: string): { heard: string[]; stop: () => void } {
      const heard: string[] = []
      return { heard, stop: verifier.onSessionEnd(sid, (reason) => heard.push(reason)) }
    }

    it('accepts a live token, resolves to its claims, and is known', async () => {
      const verifier = await ready()
      const { token, claims } = await subject.mint({ scope: 'admin' })

      expect(await verifier.verify(token)).to.deep.equal(claims)
      expect(verifier.freshness()).to.include({ isKnown: true, denials: 0, lastError: null })
      expect(verifier.counters()).to.include({ accepted: 1, unknownAllowed: 0 })
    })

    it('refuses every token of an ended session, and no other', async () => {
      const verifier = await ready()
      const sid = uuidv7()
      const [first, second, other] = [
        await subject.mint({ sid }),
        await subject.mint({ sid }),
        await subject.mint(),
      ]
      await verifier.verify(first.token)

      await subject.endSession(sid)

      expect(await outcome(verifier, first.token)).to.equal('token_denied')
      expect(await outcome(verifier, second.token)).to.equal('token_denied')
      expect(await outcome(verifier, other.token)).to.equal('resolved')
      expect(verifier.counters()).to.include({ accepted: 2, denied: 2 })
      expect(verifier.freshness().denials).to.equal(1)
    })

    it('knows sessions that ended before it was created', async () => {
      const { token, claims } = await subject.mint()
      await subject.endSession(claims.sid)

      const verifier = await ready()

      expect(await outcome(verifier, token)).to.equal('token_denied')
    })

    it('tells the handlers of a session its end, once, and those of no other', async () => {
      const verifier = await ready()
      const [sid, otherSid] = [uuidv7(), uuidv7()]
      const [first, second, other] = [
        listen(verifier, sid),
        listen(verifier, sid),
        listen(verifier, otherSid),
      ]

      await subject.endSession(sid)
      await subject.endSession(sid)

      expect(first.heard).to.deep.equal(['token_denied'])
      expect(second.heard).to.deep.equal(['token_denied'])
      expect(other.heard).to.deep.equal([])
    })

    it('tells a handler that comes too late, but not from within', async () => {
      const verifier = await ready()
      const sid = uuidv7()
      await subject.endSession(sid)

      const { heard } = listen(verifier, sid)
      const heardAtOnce = [...heard]
      await turn()

      expect(heardAtOnce).to.deep.equal([])
      expect(heard).to.deep.equal(['token_denied'])
    })

    it('tells nothing to a handler that was taken away', async () => {
      const verifier = await ready()
      const sid = uuidv7()
      const [first, second] = [listen(verifier, sid), listen(verifier, sid)]

      first.stop()
      await subject.endSession(sid)

      expect(first.heard).to.deep.equal([])
      expect(second.heard).to.deep.equal(['token_denied'])
    })

    it('tells the other handlers when one throws, and reports it', async () => {
      const verifier = await ready()
      const sid = uuidv7()
      verifier.onSessionEnd(sid, () => {
        throw new Error('of the handler')
      })
      const { heard } = listen(verifier, sid)

      await subject.endSession(sid)
      await turn()

      expect(heard).to.deep.equal(['token_denied'])
      expect(errors.map(({ cause }) => (cause as Error | undefined)?.message)).to.deep.equal([
        'of the handler',
      ])
    })

    it('refuses everything while it is unknown, and tells all handlers', async () => {
      const verifier = await ready()
      const { token, claims } = await subject.mint()
      const { heard } = listen(verifier, claims.sid)

      await subject.goUnknown()

      expect(await outcome(verifier, token)).to.equal('denylist_unknown')
      expect(heard).to.deep.equal(['denylist_unknown'])
      expect(verifier.freshness().isKnown).to.equal(false)
      expect(verifier.freshness().lastError).to.be.an.instanceOf(Error)
      expect(verifier.counters()).to.include({ accepted: 0, unknownRefused: 1 })
    })

    it('accepts and counts while it is unknown, where that is wanted, and tells no handler', async () => {
      const verifier = await ready({ onUnknown: 'allow' })
      const { token, claims } = await subject.mint()
      const { heard } = listen(verifier, claims.sid)

      await subject.goUnknown()

      expect(await outcome(verifier, token)).to.equal('resolved')
      expect(heard).to.deep.equal([])
      expect(verifier.counters()).to.include({ accepted: 1, unknownAllowed: 1 })
    })

    it('refuses what it knows to be over also while it is unknown', async () => {
      const verifier = await ready({ onUnknown: 'allow' })
      const { token, claims } = await subject.mint()
      await subject.endSession(claims.sid)

      await subject.goUnknown()

      expect(await outcome(verifier, token)).to.equal('token_denied')
    })

    it('learns what ended while it was unknown, and serves again', async () => {
      const verifier = await ready({ onUnknown: 'allow' })
      const [ended, live] = [await subject.mint(), await subject.mint()]
      const { heard } = listen(verifier, ended.claims.sid)
      await subject.goUnknown()

      await subject.endSession(ended.claims.sid)
      const heardMeanwhile = [...heard]
      await subject.comeBack()

      expect(heardMeanwhile).to.deep.equal([])
      expect(heard).to.deep.equal(['token_denied'])
      expect(await outcome(verifier, ended.token)).to.equal('token_denied')
      expect(await outcome(verifier, live.token)).to.equal('resolved')
      expect(verifier.freshness()).to.include({ isKnown: true, lastError: null })
      expect(verifier.counters().unknownAllowed).to.equal(0)
    })
  })
}
