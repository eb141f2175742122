// What an instance remembers: its own tokens and foreign ones, as long as they matter, and whether all had room.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { denialMemory, type DenialMemory } from '../../../../src/store/feed/denial-memory.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'

const WINDOW_MS = 300_000
const HOUR_MS = 3_600_000
const FOREIGN = 'ab'.repeat(32)

describe('denialMemory', () => {
  let clock: FakeClock
  let memory: DenialMemory

  beforeEach(() => {
    clock = fakeClock()
    memory = denialMemory({ clock, windowMs: WINDOW_MS, maxHeld: 3 })
  })

  const remember = (id: string, ttlMs = HOUR_MS) => memory.add([{ id, ttlMs }], true)

  it('has sessions, single tokens, and tokens of other services', () => {
    const sid = uuidv7()

    memory.add(
      [sid, `${uuidv7()}:jti`, FOREIGN].map((id) => ({ id, ttlMs: 1000, createdAtMs: 1 })),
      true,
    )

    expect([memory.has(sid), memory.has(FOREIGN), memory.has(uuidv7())]).to.deep.equal([true, true, false])
    expect(memory.fed.end).to.equal(2)
    expect(memory.foreign.end).to.equal(1)
  })

  it('has no news for the feed in a foreign token, nor in what it has already', () => {
    const sid = uuidv7()

    expect([remember(FOREIGN), remember(sid), remember(sid)]).to.deep.equal([false, true, false])
  })

  it('keeps how long a denial lasts beside how long it matters here', async () => {
    await clock.advance(5000)

    remember(uuidv7())
    remember(FOREIGN, 1000)

    expect(memory.fed.at(0)).to.include({
      heardAtMs: 5000,
      endsAtMs: 5000 + WINDOW_MS + 1000,
      lastsUntilMs: 5000 + HOUR_MS,
    })
    expect(memory.foreign.at(0)).to.include({ endsAtMs: 7000, lastsUntilMs: 6000 })
  })

  it('lets go of both kinds when they are past', async () => {
    const sid = uuidv7()
    remember(sid)
    remember(FOREIGN)
    await clock.advance(WINDOW_MS + 1000)
    memory.prune()
    const before = [memory.has(sid), memory.has(FOREIGN)]

    await clock.advance(1)
    memory.prune()

    expect(before).to.deep.equal([true, true])
    expect([memory.has(sid), memory.has(FOREIGN)]).to.deep.equal([false, false])
  })

  it('says once that there was no room for some, and has those that there was room for', () => {
    const ids = Array.from({ length: 4 }, () => uuidv7())
    for (const id of ids) remember(id)

    expect([memory.hasOverflown(), memory.hasOverflown()]).to.deep.equal([true, false])
    expect(ids.map(memory.has)).to.deep.equal([true, true, true, false])
  })

  it('has the same room for foreign tokens: too many of these leave the feed complete', () => {
    for (let i = 0; i < 5; i += 1) remember(`${i}${FOREIGN.slice(1)}`)
    const sid = uuidv7()

    expect(remember(sid)).to.equal(true)
    expect(memory.hasOverflown()).to.equal(false)
    expect([memory.foreign.end, memory.has(sid)]).to.deep.equal([3, true])
  })

  it('has room again when what it has is past', async () => {
    for (let i = 0; i < 4; i += 1) remember(uuidv7())
    memory.hasOverflown()
    await clock.advance(WINDOW_MS + 1001)
    memory.prune()

    expect(remember(uuidv7())).to.equal(true)
    expect(memory.hasOverflown()).to.equal(false)
  })
})
