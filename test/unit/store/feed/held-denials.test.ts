// The list of denials that readers are served from: each once, in their order, and none lost before its time.
import { expect } from 'chai'
import fc from 'fast-check'
import { heldDenials, type HeldDenial, type HeldDenials } from '../../../../src/store/feed/held-denials.ts'

const SAME_WITHIN_MS = 5000

function denial(id: string, over: Partial<HeldDenial> = {}): HeldDenial {
  const endsAtMs = over.endsAtMs ?? 300_000
  return {
    id,
    until: 300,
    createdAtMs: 1000,
    endsAtMs,
    isAcknowledged: true,
    heardAtMs: 0,
    lastsUntilMs: endsAtMs,
    ...over,
  }
}

function all(held: HeldDenials): HeldDenial[] {
  return Array.from({ length: held.end - held.begin }, (_, i) => held.at(held.begin + i))
}

const ids = (held: HeldDenials) => all(held).map(({ id }) => id)

describe('heldDenials', () => {
  let held: HeldDenials

  beforeEach(() => {
    held = heldDenials()
  })

  it('numbers denials in the order in which they came', () => {
    const news = [held.add(denial('a')), held.add(denial('b'))]

    expect(news).to.deep.equal([true, true])
    expect([held.begin, held.end]).to.deep.equal([0, 2])
    expect(ids(held)).to.deep.equal(['a', 'b'])
  })

  it('has what it was given, and nothing else', () => {
    held.add(denial('a'))

    expect([held.has('a'), held.has('b')]).to.deep.equal([true, false])
  })

  it('keeps when each was heard of, and how long it lasts', () => {
    held.add(denial('a', { heardAtMs: 77, lastsUntilMs: 900_000 }))

    expect(all(held)).to.deep.equal([denial('a', { heardAtMs: 77, lastsUntilMs: 900_000 })])
  })

  it('takes one that several tell of once, with when it was journaled', () => {
    held.add(denial('a', { createdAtMs: Infinity }))

    const isNews = held.add(denial('a', { createdAtMs: 1000, endsAtMs: 300_000 + SAME_WITHIN_MS }))

    expect(isNews).to.equal(false)
    expect(all(held).map(({ createdAtMs }) => createdAtMs)).to.deep.equal([1000])
  })

  it('takes one anew that is to last longer', () => {
    held.add(denial('a', { until: 300, createdAtMs: Infinity }))

    const longer = { until: 306, createdAtMs: Infinity, endsAtMs: 300_001 + SAME_WITHIN_MS }
    const isNews = held.add(denial('a', longer))

    expect(isNews).to.equal(true)
    expect(all(held).map(({ until }) => until)).to.deep.equal([300, 306])
  })

  it('takes a row of the journal once, however late it is read again', () => {
    held.add(denial('a', { createdAtMs: 1000 }))

    expect(held.add(denial('a', { createdAtMs: 1000, endsAtMs: 360_000 }))).to.equal(false)
    expect(held.add(denial('a', { createdAtMs: 2000, endsAtMs: 360_000 }))).to.equal(true)
  })

  it('lets go of what is past, from the oldest on, and takes it anew', () => {
    held.add(denial('a', { endsAtMs: 10_000 }))
    held.add(denial('b', { endsAtMs: 20_000 }))
    held.add(denial('c', { endsAtMs: 10_000 }))

    held.prune(10_000)
    const atItsEnd = ids(held)
    held.prune(10_001)

    expect(atItsEnd).to.deep.equal(['a', 'b', 'c'])
    expect(ids(held)).to.deep.equal(['b', 'c'])
    expect([held.has('a'), held.has('b'), held.begin]).to.deep.equal([false, true, 1])
    expect(held.add(denial('a', { endsAtMs: 10_000 }))).to.equal(true)
  })

  it('still has one that it was given twice when the first of the two is past', () => {
    held.add(denial('a', { createdAtMs: 1000, endsAtMs: 10_000 }))
    held.add(denial('a', { createdAtMs: 2000, endsAtMs: 20_000 }))

    held.prune(10_001)

    expect(held.has('a')).to.equal(true)
  })

  it('keeps the numbers of those that stay when it lets go of thousands', () => {
    for (let i = 0; i < 5000; i += 1) held.add(denial(`early-${i}`, { endsAtMs: 10_000 }))
    held.add(denial('late', { endsAtMs: 20_000 }))

    held.prune(15_000)

    expect([held.begin, held.end]).to.deep.equal([5000, 5001])
    expect(held.at(5000).id).to.equal('late')
  })

  it('does as a list does that is searched through', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        id: fc.constantFrom('a', 'b', 'c', 'd'),
        createdAtMs: fc.constantFrom(1000, 2000, Infinity),
        leftMs: fc.integer({ min: 1, max: 20_000 }),
      }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 8000 }) }),
    )
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const real = heldDenials()
      const model: HeldDenial[] = []
      let gone = 0
      let nowMs = 0

      for (const next of steps) {
        if (next.kind === 'add') {
          const { id, createdAtMs } = next
          const added = denial(id, { createdAtMs, endsAtMs: nowMs + next.leftMs, heardAtMs: nowMs })
          const last = model.slice(gone).findLast((one) => one.id === id)
          const isHeld =
            last !== undefined &&
            (added.endsAtMs <= last.endsAtMs + SAME_WITHIN_MS ||
              (createdAtMs !== Infinity && createdAtMs === last.createdAtMs))
          const isNews = real.add(added)
          expect(isNews).to.equal(!isHeld)
          if (isHeld) last.createdAtMs = Math.min(last.createdAtMs, createdAtMs)
          else model.push(added)
        } else {
          nowMs += next.ms
          real.prune(nowMs)
          while (gone < model.length && (model[gone]?.endsAtMs ?? 0) < nowMs) gone += 1
        }
        const left = model.slice(gone)
        expect([real.begin, real.end]).to.deep.equal([gone, model.length])
        expect(all(real)).to.deep.equal(left)
        for (const id of ['a', 'b', 'c', 'd'])
          expect(real.has(id)).to.equal(left.some((one) => one.id === id))
      }
    })

    fc.assert(property, { numRuns: 300 })
  })
})
