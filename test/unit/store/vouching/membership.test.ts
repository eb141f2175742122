// When an instance may count on being asked before Redis is believed without Postgres.
import { expect } from 'chai'
import { membership, type Membership } from '../../../../src/store/vouching/membership.ts'

const EPOCH_MS = 1_800_000_000_000

describe('membership', () => {
  let nowMs: number
  let knownUntil: number
  let member: Membership

  beforeEach(() => {
    nowMs = 0
    knownUntil = -Infinity
    member = membership(
      (until) => {
        knownUntil = until
      },
      () => nowMs,
    )
  })

  const isKnown = () => nowMs < knownUntil
  const seen = () => {
    member.seen(EPOCH_MS + nowMs)
  }
  const become = () => {
    seen()
    nowMs += 1000
    seen()
    member.inLine(EPOCH_MS + nowMs + 1)
  }

  it('begins with a watermark from after a registration, and with no earlier one', () => {
    seen()
    member.inLine(EPOCH_MS + 500)
    const afterOne = isKnown()
    nowMs += 1000
    seen()
    member.inLine(EPOCH_MS + nowMs)
    const atThatMoment = isKnown()
    member.inLine(EPOCH_MS + nowMs + 1)

    expect([afterOne, atThatMoment, isKnown()]).to.deep.equal([false, false, true])
  })

  it('goes on without Redis for as long as it registers', () => {
    become()
    for (let i = 0; i < 20; i += 1) {
      nowMs += 1000
      seen()
    }

    expect(isKnown()).to.equal(true)
  })

  it('ends by itself when it has not registered for eight seconds', () => {
    become()
    nowMs += 8000

    expect(isKnown()).to.equal(false)
  })

  it('begins anew after such a break: with a watermark from after the next registration', () => {
    become()
    nowMs += 9000
    seen()
    member.inLine(EPOCH_MS + nowMs + 1)
    const afterOne = isKnown()
    nowMs += 1000
    seen()
    member.inLine(EPOCH_MS + nowMs + 1)

    expect([afterOne, isKnown()]).to.deep.equal([false, true])
  })
})
