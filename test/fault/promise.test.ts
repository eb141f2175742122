// The promise under faults, until enough has happened; `npm run fault` does the same for as long as one likes.
import { expect } from 'chai'
import { runCampaign, type Campaign } from './campaign.ts'
import type { Violation } from './check/violation.ts'
import type { History } from './history.ts'
import { report } from './report.ts'
import { standaloneRedis } from './standalone-redis.ts'
import { startWorld, type World } from './world.ts'

const SEED = 7
/** However slow the machine: a run that did nothing proves nothing. */
const ENOUGH = { faults: 4, operations: 2000, logouts: 50, deadTokensTried: 300 }
const NO_LONGER_MS = 240_000

describe('the promise under faults', function () {
  this.timeout(2 * NO_LONGER_MS)
  let world: World

  before(async () => {
    world = await startWorld({ redis: standaloneRedis })
  })
  after(async () => {
    await world.stop()
  })

  it(`is kept (seed ${SEED})`, async () => {
    const { signal } = new AbortController()

    const campaign = await runCampaign(world, { seed: SEED, lengthMs: NO_LONGER_MS, signal, isEnough })

    const broken = campaign.violations.filter((violation) => !isOfSpeed(violation))
    expect(broken.length, report({ ...campaign, violations: broken })).to.equal(0)
    expect(countsOf(campaign), 'what happened').to.satisfy(isAtLeastEnough)
  })
})

/** Too late an answer, or 503 and no fault near: true of the service, or of a machine that is busy with other tests. */
function isOfSpeed({ rule, operations: [operation] }: Violation): boolean {
  return rule === 'e' || (rule === 'd' && (operation?.answer === 503 || operation?.answer === 'no answer'))
}

function isEnough(history: History): boolean {
  return isAtLeastEnough(countsOf({ history }))
}

function isAtLeastEnough(counts: typeof ENOUGH): boolean {
  return Object.entries(ENOUGH).every(([what, least]) => counts[what as keyof typeof ENOUGH] >= least)
}

function countsOf({ history: { operations, faults } }: Pick<Campaign, 'history'>): typeof ENOUGH {
  const logouts = operations.filter(
    ({ kind, answer }) => kind === 'logout' && (answer === 200 || answer === 204),
  )
  const over = new Set(logouts.map(({ sid }) => sid))
  const deadTokensTried = operations.filter(({ sid, answer }) => over.has(sid) && answer === 401)
  return {
    faults: faults.filter(({ endedAt }) => endedAt !== null).length,
    operations: operations.length,
    logouts: logouts.length,
    deadTokensTried: deadTokensTried.length,
  }
}
