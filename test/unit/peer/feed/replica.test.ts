// The replica's rules that no connection is needed for: full, out of cover, tokens too old.
import { expect } from 'chai'
import type { AccessClaims } from '../../../../src/contract/claims.ts'
import { DenialSetFullError } from '../../../../src/peer/feed/denial-set.ts'
import { replica, type Replica } from '../../../../src/peer/feed/replica.ts'
import type { UnknownPolicy } from '../../../../src/peer/index.ts'
import { manualClock, type ManualClock } from '../../../support/fakes/manual-clock.ts'

const OPEN = { now: 0, lease: 5, covers: 300 }

describe('replica', () => {
  let clock: ManualClock
  let own: Replica

  beforeEach(() => {
    clock = manualClock()
    own = create('allow')
  })

  function create(onUnknown: UnknownPolicy): Replica {
    const created = replica({
      moment: () => ({ monotonicMs: clock.nowMs(), epochMs: clock.nowMs() }),
      now: clock.now,
      onUnknown,
      onError: () => undefined,
      maxDenials: 3,
    })
    sync(created)
    return created
  }
  function sync(one: Replica): void {
    one.open({ monotonicMs: clock.nowMs(), epochMs: clock.nowMs() }, OPEN)
    one.sync({ as_of: 0 })
  }
  const check = (sid: string, { jti = 'jti', ageSeconds = 0 } = {}) =>
    own.check({
      token: '',
      tokenId: `${sid}:${jti}`,
      claims: { sid, jti, iat: clock.now() - ageSeconds } as AccessClaims,
    })
  const denial = (id: string) => ({ id, until: clock.now() + 300 })
  const listen = (one: Replica, sid: string): string[] => {
    const heard: string[] = []
    one.onSessionEnd(sid, (reason) => heard.push(reason))
    return heard
  }

  it('denies one token of a session and not the others, and tells no handler', () => {
    const heard = listen(own, 'a')

    own.add([denial('a:one')])

    expect(check('a', { jti: 'one' })).to.equal('denied')
    expect(check('a', { jti: 'two' })).to.equal('live')
    expect(heard).to.deep.equal([])
  })

  it('answers for no token older than the feed covers', () => {
    expect(check('a', { ageSeconds: 300 })).to.equal('live')
    expect(check('a', { ageSeconds: 301 })).to.equal('too_old')
  })

  it('is unknown when it is full, tells all handlers, and keeps what it has', () => {
    own.add(['a', 'b', 'c'].map(denial))
    const heard = listen(own, 'd')

    expect(() => {
      own.add([denial('d')])
    }).to.throw(DenialSetFullError)

    expect(own.isKnown()).to.equal(false)
    expect(check('a')).to.equal('denied')
    expect(check('d')).to.equal('unknown')
    expect(heard).to.deep.equal(['denylist_unknown'])
  })

  it('tells handlers in the next tick that nothing is known, where unknown is refused', () => {
    const denying = create('deny')
    const [refused, allowed] = [listen(denying, 'a'), listen(own, 'a')]

    clock.advance(6)
    denying.tick()
    own.tick()

    expect(refused).to.deep.equal(['denylist_unknown'])
    expect(allowed).to.deep.equal([])
  })

  it('tells handlers before it is known again, when a denial may have come and gone meanwhile', () => {
    const [heard, inTime] = [listen(own, 'a'), listen(create('allow'), 'a')]

    clock.advance(301)
    sync(own)

    expect(heard).to.deep.equal(['denylist_unknown'])
    expect(inTime).to.deep.equal([])
    expect(own.isKnown()).to.equal(true)
  })

  it('forgets a denial once it is over', () => {
    own.add([denial('a')])

    clock.advance(306)
    own.tick()

    expect(own.size).to.equal(0)
  })

  it('forgets nothing by a clock that was wrong for a while', () => {
    let setAheadMs = 0
    const moment = () => ({ monotonicMs: clock.nowMs(), epochMs: clock.nowMs() + setAheadMs })
    const now = () => moment().epochMs / 1000
    own = replica({ moment, now, onUnknown: 'deny', onError: () => undefined })
    own.open(moment(), OPEN)
    own.add([denial('a')])
    own.sync({ as_of: 0 })

    setAheadMs = 3_600_000
    own.tick()
    own.add([denial('b')])
    own.tick()
    setAheadMs = 0

    expect([check('a'), check('b'), check('c')]).to.deep.equal(['denied', 'denied', 'live'])
  })
})
