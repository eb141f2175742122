import { expect } from 'chai'
import { planFaults } from '../../fault/schedule.ts'

const FAULTS = [
  { name: 'one killed', target: 'one' },
  { name: 'one cut off Redis', target: 'one' },
  { name: 'two cut off Redis', target: 'two' },
  { name: 'Redis killed', target: 'redis' },
  { name: 'Postgres hung', target: 'postgres' },
] as const

const HALF_AN_HOUR_MS = 1_800_000

describe('planFaults', () => {
  it('plans the same for the same seed, and something else for another', () => {
    const plan = planFaults(FAULTS, 7, HALF_AN_HOUR_MS)

    expect(planFaults(FAULTS, 7, HALF_AN_HOUR_MS)).to.deep.equal(plan)
    expect(planFaults(FAULTS, 8, HALF_AN_HOUR_MS)).not.to.deep.equal(plan)
  })

  it('plans more than 200 faults for half an hour, each kind many times', () => {
    const plan = planFaults(FAULTS, 7, HALF_AN_HOUR_MS)

    expect(plan.length).to.be.above(200)
    for (const { name } of FAULTS) {
      expect(plan.filter((planned) => planned.name === name).length, name).to.be.above(20)
    }
  })

  it('has two at once now and then, of different targets, and never three', () => {
    const plan = planFaults(FAULTS, 7, HALF_AN_HOUR_MS)
    const targetOf = (name: string) => FAULTS.find((fault) => fault.name === name)?.target

    const together = plan.map((fault) =>
      plan.filter(({ atMs, durationMs }) => atMs <= fault.atMs && fault.atMs < atMs + durationMs),
    )

    expect(together.filter(({ length }) => length === 2).length).to.be.above(20)
    for (const faults of together) {
      expect(new Set(faults.map(({ name }) => targetOf(name))).size).to.equal(faults.length)
      expect(faults.length).to.be.at.most(2)
    }
  })

  it('leaves times in which everything has settled', () => {
    const plan = planFaults(FAULTS, 7, HALF_AN_HOUR_MS)

    const pauses = plan.map((fault, index) => {
      const before = plan.slice(0, index).map(({ atMs, durationMs }) => atMs + durationMs)
      return fault.atMs - Math.max(0, ...before)
    })

    expect(pauses.filter((pauseMs) => pauseMs >= 8000).length).to.be.above(20)
  })
})
