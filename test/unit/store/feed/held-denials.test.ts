// The list of denials that readers are served from: each once, in their order, and none lost before its time.
import { expect } from 'chai'
import fc from 'fast-check'
import type { FedDenial } from '../../../../src/auth/ports/denials.ts'
import { heldDenials, type HeldDenials } from '../../../../src/store/feed/held-denials.ts'

const SAME_WITHIN_MS = 5000

function denial(id: string, { until = 300, createdAtMs = 1000 }: Partial<FedDenial> = {}): FedDenial {
  return { id, until, createdAtMs }
}

function all(held: HeldDenials): FedDenial[] {
  return Array.from({ length: held.end - held.begin }, (_, i) => held.at(held.begin + i))
}

const ids = (held: HeldDenials) => all(held).map(({ id }) => id)

describe('heldDenials', () => {
  let held: HeldDenials

  beforeEach(() => {
    held = heldDenials()
  })

  it('numbers denials in the order in which they came', () => {
    const news = [held.add(denial('a'), 300_000), held.add(denial('b'), 300_000)]

    expect(news).to.deep.equal([true, true])
    expect([held.begin, held.end]).to.deep.equal([0, 2])
    expect(ids(held)).to.deep.equal(['a', 'b'])
  })

  it('takes one that several tell of once, with when it was journaled', () => {
    held.add(denial('a', { createdAtMs: Infinity }), 300_000)

    const isNews = held.add(denial('a', { createdAtMs: 1000 }), 300_000 + SAME_WITHIN_MS)

    expect(isNews).to.equal(false)
    expect(all(held).map(({ createdAtMs }) => createdAtMs)).to.deep.equal([1000])
  })

  it('takes one anew that is to last longer', () => {
    held.add(denial('a', { until: 300, createdAtMs: Infinity }), 300_000)

    const isNews = held.add(denial('a', { until: 306, createdAtMs: Infinity }), 300_001 + SAME_WITHIN_MS)

    expect(isNews).to.equal(true)
    expect(all(held).map(({ until }) => until)).to.deep.equal([300, 306])
  })

  it('takes a row of the journal once, however late it is read again', () => {
    held.add(denial('a', { createdAtMs: 1000 }), 300_000)

    expect(held.add(denial('a', { createdAtMs: 1000 }), 360_000)).to.equal(false)
    expect(held.add(denial('a', { createdAtMs: 2000 }), 360_000)).to.equal(true)
  })

  it('lets go of what is past, from the oldest on, and takes it anew', () => {
    held.add(denial('a'), 10_000)
    held.add(denial('b'), 20_000)
    held.add(denial('c'), 10_000)

    held.prune(10_000)
    const atItsEnd = ids(held)
    held.prune(10_001)

    expect(atItsEnd).to.deep.equal(['a', 'b', 'c'])
    expect(ids(held)).to.deep.equal(['b', 'c'])
    expect(held.begin).to.equal(1)
    expect(held.add(denial('a'), 10_000)).to.equal(true)
  })

  it('keeps the numbers of those that stay when it lets go of thousands', () => {
    for (let i = 0; i < 5000; i += 1) held.add(denial(`early-${i}`), 10_000)
    held.add(denial('late'), 20_000)

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
      const model: (FedDenial & { endsAtMs: number })[] = []
      let gone = 0
      let nowMs = 0

      for (const next of steps) {
        if (next.kind === 'add') {
          const { id, createdAtMs } = next
          const endsAtMs = nowMs + next.leftMs
          const last = model.slice(gone).findLast((one) => one.id === id)
          const isHeld =
            last !== undefined &&
            (endsAtMs <= last.endsAtMs + SAME_WITHIN_MS ||
              (createdAtMs !== Infinity && createdAtMs === last.createdAtMs))
          const isNews = real.add({ id, until: endsAtMs, createdAtMs }, endsAtMs)
          expect(isNews).to.equal(!isHeld)
          if (isHeld) last.createdAtMs = Math.min(last.createdAtMs, createdAtMs)
          else model.push({ id, until: endsAtMs, createdAtMs, endsAtMs })
        } else {
          nowMs += next.ms
          real.prune(nowMs)
          while (gone < model.length && (model[gone]?.endsAtMs ?? 0) < nowMs) gone += 1
        }
        expect([real.begin, real.end]).to.deep.equal([gone, model.length])
        expect(all(real)).to.deep.equal(model.slice(gone))
      }
    })

    fc.assert(property, { numRuns: 300 })
  })
})
