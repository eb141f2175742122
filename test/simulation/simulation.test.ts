// The simulation as part of the tests: a hundred seeds and some others without a violation, each the same every time.
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { compiledCopy, type CompiledCopy } from './compiled-copy.ts'
import { PLANTED } from './planted/planted.ts'
import { runSeeds } from './run-seeds.ts'
import type { SeedResult } from './run-seed.ts'
import type { SeedOrder } from './worker.ts'

const SEEDS = 100
/** They had one once: a short lease, and what was mistaken for another deployment or for a lease that lasted too long. */
const ONCE_RED = [660, 33_694, 51_842, 65_333]
/** For the machine to come to an end, however slow it is. */
const PATIENCE_MS = 20 * 60_000

describe('the simulation', function () {
  this.timeout(PATIENCE_MS)
  let copy: CompiledCopy

  before(async () => {
    copy = await compiledCopy()
  })
  after(async () => {
    await copy.remove()
  })

  async function results(orders: SeedOrder[], workers: number): Promise<SeedResult[]> {
    const found: SeedResult[] = []
    await runSeeds({
      worker: copy.worker,
      workers,
      next: () => orders.shift() ?? null,
      onResult: (result) => void found.push(result),
    })
    return found
  }

  it(`finds no violation in ${SEEDS} seeds, nor in those that had one`, async () => {
    const seeds = [...Array.from({ length: SEEDS }, (_, index) => index + 1), ...ONCE_RED]
    const orders = seeds.map((seed) => ({ seed }))

    const found = await results(orders, 2)

    const violations = found.flatMap(({ seed, violations: of }) =>
      of.map(({ rule, sentence }) => ({ seed, rule, sentence })),
    )
    expect(violations).to.deep.equal([])
    expect(found.map(({ seed }) => seed)).to.have.members(seeds)
  })

  for (const { name, changes } of PLANTED) {
    it(`can have this bug planted: ${name}`, async () => {
      for (const { file, find, replace } of changes) {
        const text = await readFile(file, 'utf8')

        expect(text.split(find).length - 1, `${file}: ${find}`).to.equal(1)
        expect(replace).not.to.equal(find)
      }
    })
  }

  it('does the same for the same seed, byte for byte', async () => {
    const [one, other] = [
      await results([{ seed: 7, isTraced: true }], 1),
      await results([{ seed: 7, isTraced: true }], 1),
    ]

    const [first, second] = [one, other].map(([result]) => result?.trace.join('\n'))
    expect(first).to.be.a('string').that.has.length.above(1000)
    expect(second).to.equal(first)
  })
})
