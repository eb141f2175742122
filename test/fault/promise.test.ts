// The promise under faults, for about a minute; `npm run fault` does the same for as long as one likes.
import { expect } from 'chai'
import { runCampaign, type Campaign } from './campaign.ts'
import { report } from './report.ts'
import { standaloneRedis } from './standalone-redis.ts'
import { startWorld, type World } from './world.ts'

const SEED = 7
/** Of faults; then there is peace for a while. */
const FAULTS_MS = 30_000
/** A run that did nothing proves nothing. */
const LEAST = { faults: 4, operations: 2000, logouts: 50, deadTokensTried: 300 }

describe('the promise under faults', function () {
  this.timeout(150_000)
  let world: World

  before(async () => {
    world = await startWorld({ redis: standaloneRedis })
  })
  after(async () => {
    await world.stop()
  })

  it(`is kept (seed ${SEED})`, async () => {
    const { signal } = new AbortController()

    const campaign = await runCampaign(world, { seed: SEED, lengthMs: FAULTS_MS, signal })

    expect(campaign.violations.length, report(campaign)).to.equal(0)
    expectBusy(campaign)
  })
})

function expectBusy({ history }: Campaign): void {
  const { operations, faults } = history
  const logouts = operations.filter(
    ({ kind, answer }) => kind === 'logout' && (answer === 200 || answer === 204),
  )
  const over = new Set(logouts.map(({ sid }) => sid))
  const deadTokensTried = operations.filter(({ sid, answer }) => over.has(sid) && answer === 401)
  expect(faults.length, 'faults').to.be.at.least(LEAST.faults)
  expect(operations.length, 'operations').to.be.at.least(LEAST.operations)
  expect(logouts.length, 'logouts').to.be.at.least(LEAST.logouts)
  expect(deadTokensTried.length, 'dead tokens tried').to.be.at.least(LEAST.deadTokensTried)
}
