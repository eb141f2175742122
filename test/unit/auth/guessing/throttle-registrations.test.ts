// How many registrations an address has, and how many wrong secrets of peers.
import { expect } from 'chai'
import { refusalOf } from '../../../support/clients/refusal-of.ts'
import { ALICE, ATTACKER, OWNER, throttleRig } from '../../../support/stores/throttle-rig.ts'

describe('attempts of an address', () => {
  it('are refused from the 121st in a minute on, and told when the minute ends', async () => {
    const { clock, throttle } = throttleRig()
    for (let time = 0; time < 120; time += 1) await throttle.address(ATTACKER)
    clock.advance(30)

    const refused: unknown = await throttle.address(ATTACKER).catch((error: unknown) => error)

    expect(refused).to.include({ code: 'throttled', retryAfterSeconds: 30 })
    expect(await refusalOf(throttle.address(OWNER))).to.equal('resolved')
    clock.advance(30)
    expect(await refusalOf(throttle.address(ATTACKER))).to.equal('resolved')
  })
})

describe('wrong secrets of peers from one address', () => {
  it('are refused from the 121st in a minute on, and told when the minute ends', async () => {
    const { clock, throttle } = throttleRig()
    for (let time = 0; time < 120; time += 1) await throttle.peerFailure(ATTACKER)
    clock.advance(45)

    const refused: unknown = await throttle.peerFailure(ATTACKER).catch((error: unknown) => error)

    expect(refused).to.include({ code: 'throttled', retryAfterSeconds: 15 })
    expect(await refusalOf(throttle.peerFailure(OWNER))).to.equal('resolved')
  })

  it('leave the people behind that address alone', async () => {
    const rig = throttleRig()
    for (let time = 0; time < 120; time += 1) await rig.throttle.peerFailure(ATTACKER)

    expect((await rig.guess(ALICE)).evaluated).to.equal(true)
    expect(await refusalOf(rig.throttle.address(ATTACKER))).to.equal('resolved')
  })
})
