// The denials in memory: none is forgotten too early, all are in the end, and there is a limit.
import { expect } from 'chai'
import fc from 'fast-check'
import { denialSet, DenialSetFullError } from '../../../../src/peer/feed/denial-set.ts'

const ids = (count: number) => Array.from({ length: count }, (_, index) => `id-${index}`)

describe('denialSet', () => {
  it('keeps the later of two ends', () => {
    const denials = denialSet()
    denials.add({ id: 'later', endsAt: 100 })
    denials.add({ id: 'later', endsAt: 200 })
    denials.add({ id: 'sooner', endsAt: 200 })
    denials.add({ id: 'sooner', endsAt: 100 })

    denials.prune(150)

    expect([denials.has('later'), denials.has('sooner')]).to.deep.equal([true, true])
    expect(denials.size).to.equal(2)
  })

  it('drops a denial after its end, and not at it', () => {
    const denials = denialSet()
    denials.add({ id: 'x', endsAt: 100 })

    denials.prune(100)
    const atItsEnd = denials.has('x')
    denials.prune(101)

    expect(atItsEnd).to.equal(true)
    expect(denials.has('x')).to.equal(false)
  })

  it('holds exactly what a map would, whatever is added and pruned', () => {
    // Ids that end alike share a place in what is looked at first.
    const id = fc
      .tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('00', '01', 'zz', ''))
      .map((parts) => parts.join(''))
    const step = fc.oneof(fc.record({ id, endsAt: fc.nat(20) }), fc.record({ now: fc.nat(20) }))

    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const [denials, map] = [denialSet(), new Map<string, number>()]
        for (const next of steps) {
          if ('now' in next) {
            // Until a whole round is behind it.
            for (let call = 0; call < 3; call++) denials.prune(next.now)
            for (const [key, endsAt] of map) if (endsAt < next.now) map.delete(key)
          } else {
            denials.add(next)
            map.set(next.id, Math.max(next.endsAt, map.get(next.id) ?? 0))
          }
        }

        const all = ['a', 'b', 'c'].flatMap((head) => ['00', '01', 'zz', ''].map((tail) => head + tail))
        expect(all.filter((key) => denials.has(key))).to.deep.equal(all.filter((key) => map.has(key)))
      }),
    )
  })

  it('finds every one of many, however they end, and none that is gone', () => {
    const denials = denialSet()
    const all = [...ids(20_000), ...ids(1_000).map((id) => `${id}:same-end`)]
    for (const [index, id] of all.entries()) denials.add({ id, endsAt: index % 2 === 0 ? 100 : 1_000 })
    const found = all.filter((id) => denials.has(id)).length

    for (let call = 0; call < 2_000; call++) denials.prune(500)

    expect(found).to.equal(21_000)
    expect(all.filter((id) => denials.has(id))).to.deep.equal(all.filter((_, index) => index % 2 === 1))
  })

  it('drops all that is over within two minutes of calls, a small part at a time', () => {
    const denials = denialSet()
    for (const [index, id] of ids(100_000).entries())
      denials.add({ id, endsAt: index % 2 === 0 ? 100 : 1_000 })

    denials.prune(500)
    const dropped = 100_000 - denials.size
    for (let call = 1; call < 480; call++) denials.prune(500)

    expect(dropped).to.be.within(1, 500)
    expect(denials.size).to.equal(50_000)
  })

  it('drops what comes and goes while it is looking, for as long as it is called', () => {
    const denials = denialSet()
    for (let now = 0; now < 2_000; now++) {
      for (let index = 0; index < 20; index++) denials.add({ id: `${now}-${index}`, endsAt: now + 10 })
      denials.prune(now)
    }

    expect(denials.size).to.be.below(1_000)
  })

  it('throws rather than forget one when it is full, but still takes a later end', () => {
    const denials = denialSet(3)
    for (const id of ids(3)) denials.add({ id, endsAt: 100 })

    expect(() => {
      denials.add({ id: 'one more', endsAt: 100 })
    }).to.throw(DenialSetFullError)
    denials.add({ id: 'id-0', endsAt: 200 })
    denials.prune(150)

    expect(denials.size).to.equal(1)
  })
})
