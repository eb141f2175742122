// When another deployment is taken to write to the same Redis: by a move that is none of ours, noted for the others.
import { expect } from 'chai'
import {
  OTHER_DEPLOYMENT_KEY,
  otherDeployment,
  type OtherDeployment,
} from '../../../../src/store/relay/other-deployment.ts'
import type { PartitionState } from '../../../../src/store/redis/watermarks.ts'
import { ownPositions } from '../../../../src/store/relay/own-positions.ts'
import { partitionState, position } from '../../../support/builders/partition-state.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'
import { fewValues, type FewValues } from '../../../support/fakes/few-values.ts'

describe('otherDeployment', () => {
  let clock: FakeClock
  let redis: FewValues
  let leader: OtherDeployment
  /** Of the same deployment; it has brought nothing anywhere. */
  let follower: OtherDeployment

  const instance = (own = ownPositions({ onLoss: () => undefined })): OtherDeployment =>
    otherDeployment({
      clock,
      connection: { commands: { ...unused, mget: redis.mget, set: redis.set } },
      own,
      view: { isForeign: ({ position: at }) => at?.instanceId === 'stranger' },
    })

  beforeEach(async () => {
    clock = fakeClock()
    redis = fewValues(clock)
    const own = ownPositions({ onLoss: () => undefined })
    leader = instance(own)
    follower = instance()
    await own.reaching(async () => await Promise.resolve(new Map([['0a', ours.positionText]])))
  })

  const ours = partitionState(position({ instanceId: 'one' }))
  const colleagues = partitionState(position({ instanceId: 'two' }))
  const strangers = partitionState(position({ instanceId: 'stranger' }))
  const elsewhere = { ...strangers, partition: '0b' }

  /** As Redis reads it now. */
  const at = (state: PartitionState): PartitionState => ({ ...state, redisNowMs: clock.epochMs() })

  it('is not seen while partitions stand where they were brought, or a colleague has moved them, or they were emptied', async () => {
    for (const state of [ours, colleagues, partitionState()]) await leader.look([state], true)

    expect(leader.isSeen()).to.equal(false)
  })

  it('is not seen where it has brought partitions that this instance never moved', async () => {
    await leader.look([ours, elsewhere], true)
    await follower.look([strangers, elsewhere], true)

    expect([leader.isSeen(), follower.isSeen()]).to.deep.equal([false, false])
  })

  it('is seen where it has moved a partition away from where this instance had brought it', async () => {
    await leader.look([elsewhere, strangers], true)

    expect(leader.isSeen()).to.equal(true)
  })

  it('is not seen where the instances were not read since: one of ours may have come forward', async () => {
    await leader.look([strangers], false)

    expect(leader.isSeen()).to.equal(false)
  })

  it('is noted for those that did not see it themselves', async () => {
    await leader.look([strangers], true)
    const before = follower.isSeen()

    await follower.look([strangers], false)

    expect([before, follower.isSeen()]).to.deep.equal([false, true])
  })

  it('is forgotten a minute after it was seen last, by everybody', async () => {
    await leader.look([at(strangers)], true)
    await clock.advance(59_999)
    await follower.look([at(ours)], true)
    const meanwhile = [leader.isSeen(), follower.isSeen()]
    await clock.advance(1)
    const atTheLeader = leader.isSeen()
    await clock.advance(2000)
    await follower.look([ours], true)

    expect(meanwhile).to.deep.equal([true, true])
    expect([atTheLeader, follower.isSeen()]).to.deep.equal([false, false])
  })

  it('is remembered by those that were told of it, also when Redis has lost the note', async () => {
    await leader.look([at(strangers)], true)
    await clock.advance(10_000)
    await follower.look([at(ours)], true)
    redis.lose(OTHER_DEPLOYMENT_KEY)
    await clock.advance(49_999)
    const meanwhile = follower.isSeen()
    await clock.advance(1)

    expect([meanwhile, follower.isSeen()]).to.deep.equal([true, false])
  })

  it('is seen also where it cannot be noted', async () => {
    redis.isAway = true
    const outcome = await leader.look([strangers], true).catch((error: unknown) => error)

    expect(outcome).to.have.property('message', 'Redis is away')
    expect(leader.isSeen()).to.equal(true)
  })
})

const unused = {
  run: async () => await Promise.reject(new Error('not expected')),
  readStream: async () => await Promise.reject(new Error('not expected')),
}
