// One seed: a world, its faults, and what the checker has found in it.
import { seededRandom } from '../fault/random.ts'
import { OTHER_DEPLOYMENT } from '../../src/store/relay/other-deployment.ts'
import type { CheckerCounts, SimulatedViolation } from './checker.ts'
import { FAULTS, type PlannedFault } from './faults.ts'
import { settingsOf, type Settings } from './settings.ts'
import { WORLD_BEGAN_AT } from './simulated-host.ts'
import { workload, type Workload } from './workload.ts'
import type { SimulatedPeer } from './simulated-peers.ts'
import type { VirtualTime } from './virtual-time.ts'
import { openSecond, openWorld, type Deployment, type World } from './world.ts'

export interface SeedResult {
  seed: number
  settings: Settings
  faults: readonly PlannedFault[]
  violations: readonly SimulatedViolation[]
  counts: CheckerCounts
  /** Of virtual time. */
  seconds: number
  events: number
  /** Empty unless it was asked for. */
  trace: readonly string[]
}

export interface SeedOptions {
  /** Instead of those that follow from the seed. */
  faults?: readonly PlannedFault[]
  isTraced?: boolean
}

const WARM_UP_MS = 5000
const FAULTS_PER_SECOND = 0.4
const LONGEST_MS = 9000
/** All is green after that, or never. */
const GREEN_WITHIN_MS = 15_000
/** The minute that an instance is taken for one of another deployment, and some seconds until all is in line. */
const FORGOTTEN_MS = 65_000
/** Longer than an instance or a command is listed as present after it was seen last. */
const LISTED_MS = 16_000
const SWEEP_MS = 36_000
const REBUILD_MS = 8000

export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const settings = settingsOf(seed)
  const world = openWorld(seed, settings, options.isTraced ?? false)
  const faults = options.faults ?? planFaults(world)
  const onRejection = (reason: unknown): void => {
    world.checker.violate('f', `a rejection that nobody handles: ${String((reason as Error).stack)}`)
  }
  process.on('unhandledRejection', onRejection)
  try {
    await live(world, faults)
    // Rejections are told of once all else is done.
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('unhandledRejection', onRejection)
  }
  const { checker, time, trace } = world
  return {
    seed,
    settings,
    faults,
    violations: checker.violations,
    counts: checker.counts,
    seconds: time.nowMs / 1000,
    events: time.events,
    trace: trace.lines,
  }
}

function planFaults(world: World): PlannedFault[] {
  const random = seededRandom(world.seed * 7 + 3)
  const names = Object.entries(FAULTS).flatMap(([name, { weight, isFor }]) =>
    !isFor || isFor(world) ? Array.from({ length: weight }, () => name) : [],
  )
  const count = Math.round((world.settings.faultsForMs / 1000) * FAULTS_PER_SECOND)
  const planned = Array.from({ length: count }, (): PlannedFault => {
    const share = random.next()
    return {
      name: random.pick(names),
      atMs: Math.round(WARM_UP_MS + random.next() * world.settings.faultsForMs),
      durationMs: Math.round(200 + share * share * LONGEST_MS),
      choice: random.next(),
    }
  })
  return planned.sort((one, other) => one.atMs - other.atMs)
}

async function live(world: World, faults: readonly PlannedFault[]): Promise<void> {
  const { time, checker, settings } = world
  const [deployment] = world.deployments
  if (!deployment) throw new Error('nobody is deployed')
  const loads = [workload(world, deployment)]
  const lastMs = Math.max(WARM_UP_MS, ...faults.map(({ atMs, durationMs }) => atMs + durationMs))
  loads[0]?.start(lastMs + GREEN_WITHIN_MS)
  if (settings.second !== 'none') {
    await time.run(4000)
    const second = workload(world, openSecond(world))
    second.start(lastMs + GREEN_WITHIN_MS)
    loads.push(second)
  }
  schedule(world, faults)

  await time.run(lastMs + 1)
  world.trace.note('world', 'the last fault is over')
  await untilGreen(world, lastMs + GREEN_WITHIN_MS)
  await together(world, loads)
  if (settings.isBridged) await bridge(world, lastMs + GREEN_WITHIN_MS)
  if (!settings.isSwept) return
  await time.run(lastMs + GREEN_WITHIN_MS + SWEEP_MS)
  world.trace.note('world', 'all is healed, and swept')
  checker.isHealed = true
  await together(world, loads)
  await checkJournal(world)
  for (const shard of world.redis.shards) shard.flush()
  checker.noteRedisEmptied()
  world.trace.note('world', 'Redis is emptied')
  await together(world, loads)
  await time.run(time.nowMs + REBUILD_MS)
  await together(world, loads)
}

function schedule(world: World, faults: readonly PlannedFault[]): void {
  const [deployment] = world.deployments
  for (const { name, atMs, durationMs, choice } of faults) {
    const fault = FAULTS[name]
    if (!fault || !deployment) throw new Error(`there is no fault called ${name}`)
    const random = seededRandom(Math.floor(choice * 2 ** 32))
    world.time.at(atMs, () => {
      world.trace.note('fault', `begins: ${name} (choice ${choice.toFixed(3)})`)
      const end = fault.begin({ world, deployment, random, choice, durationMs })
      world.time.at(atMs + durationMs, () => {
        world.trace.note('fault', `ends: ${name} (choice ${choice.toFixed(3)})`)
        end()
      })
    })
  }
}

async function together(world: World, loads: readonly Workload[]): Promise<void> {
  const { time } = world
  const untilMs = time.nowMs + 11_000
  const state = { isOver: false }
  const done = Promise.all(loads.flatMap((load) => [load.tryAllDead(), load.tryAlive()])).then(() => {
    state.isOver = true
  })
  while (!state.isOver && time.nowMs < untilMs) await time.run(time.nowMs + 500)
  if (!state.isOver) throw new Error('some did not answer at the end')
  await done
}

/** Liveness: a while after the last fault everything is as if there had been none. */
async function untilGreen(world: World, untilMs: number): Promise<void> {
  let deadlineMs = untilMs
  let complaints: readonly string[]
  for (;;) {
    complaints = await notGreen(world)
    // An instance that Postgres has forgotten may be taken for one of another deployment: for a minute (docs/promise.md).
    if (complaints.some((complaint) => complaint.includes(OTHER_DEPLOYMENT)))
      deadlineMs = untilMs + FORGOTTEN_MS
    if (complaints.length === 0 || world.time.nowMs >= deadlineMs) break
    await world.time.run(world.time.nowMs + 1000)
  }
  for (const complaint of complaints) world.checker.violate('alive', complaint)
}

/** While only Postgres is away, the watermarks stand by the word of all, and so peers go on. */
async function bridge(
  { deployments, settings, time, checker, isMgetStranded }: World,
  restMs: number,
): Promise<void> {
  const [deployment] = deployments
  if (!deployment || settings.second !== 'none' || isMgetStranded) return
  // Nobody asks for anything any more, and whoever is gone is no longer listed as present.
  await time.run(Math.max(time.nowMs, restMs) + LISTED_MS)
  while (isCommandListed(deployment)) await time.run(time.nowMs + 1000)
  deployment.postgres.down()
  await time.run(time.nowMs + (settings.leaseSeconds + 4) * 1000)
  for (const peer of deployment.peers)
    if (!(await canTell(time, peer)))
      checker.violate('alive', `${peer.name} cannot tell while only Postgres is away`)
  deployment.postgres.up({ lostMs: 0 })
  await time.run(time.nowMs + 5000)
}

/** A command vouches for nothing: as long as it is listed, the watermarks fall with Postgres (docs/promise.md). */
function isCommandListed({ postgres }: Deployment): boolean {
  const sinceMs = postgres.nowMs() - LISTED_MS
  return [...postgres.rows.instances.values()].some(
    ({ isCommand, leftAtMs, seenAtMs }) => isCommand && leftAtMs === null && seenAtMs > sinceMs,
  )
}

async function canTell(time: VirtualTime, peer: SimulatedPeer): Promise<boolean> {
  const state: { isKnown: boolean | null } = { isKnown: null }
  void peer.isKnown().then((known) => {
    state.isKnown = known
  })
  await time.run(time.nowMs + 300)
  return state.isKnown === true
}

async function notGreen({ deployments, settings, time, isMgetStranded }: World): Promise<string[]> {
  const isAlone = settings.second === 'none'
  const complaints = deployments
    .flatMap(({ instances }) => instances)
    .flatMap(({ name, denials }) =>
      Object.entries(denials.readiness())
        .filter(([part, said]) => said !== 'ok' && (isAlone ? part !== 'clock' : part === 'redis'))
        .map(([part, said]) => `${name}: ${part} is ${said}`),
    )
  const isMgetAsked = isAlone && !isMgetStranded
  for (const peer of deployments.flatMap(({ peers }) => peers))
    if ((isMgetAsked || !peer.name.endsWith('mget')) && !(await canTell(time, peer)))
      complaints.push(`${peer.name} cannot tell`)
  return complaints
}

/** By the journal alone: an end that it does not have is forgotten with Redis. */
async function checkJournal({ deployments, sessions, checker, time }: World): Promise<void> {
  await Promise.resolve()
  for (const { name, postgres } of deployments)
    for (const { sid, deployment, ends, isForgotten, isLeftToRedis, expiresAtMs } of sessions) {
      if (deployment !== name || ends.length === 0 || isForgotten || isLeftToRedis) continue
      // Nothing of it is left to be taken.
      if (expiresAtMs < WORLD_BEGAN_AT + time.nowMs) continue
      if (!postgres.rows.revocations.get(sid))
        checker.violate('never', `the journal has no row of ${sid.slice(-8)}, at ${time.nowMs.toFixed(0)}`)
    }
}
