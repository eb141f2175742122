// One failover under load: what happens when, and what is written down of it.
import { setTimeout as sleep } from 'node:timers/promises'
import { api, type Api } from '../fault/api.ts'
import {
  INSTANCES,
  type FaultWindow,
  type History,
  type InstanceName,
  type RunTime,
} from '../fault/history.ts'
import { seededRandom } from '../fault/random.ts'
import { recorder, runTime, type Recorder } from '../fault/recorder.ts'
import { untilReady } from '../fault/until-ready.ts'
import { BOUNDS, type RunService } from '../fault/world.ts'
import type { PatroniCluster } from '../support/servers/patroni/patroni-cluster.ts'
import type { Member } from '../support/servers/patroni/member.ts'
import { watchJournal, type Returned } from './journal-watch.ts'
import { lossesOf, type Losses } from './losses.ts'
import { readRepaired, sumOf } from './repaired.ts'
import { readSurvivors } from './survivors.ts'
import { startTraffic, type Traffic } from './traffic.ts'

export interface FailoverRun {
  history: History
  times: FailoverTimes
  losses: Losses
  mended: Mended
}

export interface FailoverTimes {
  heldBackAt: RunTime
  killedAt: RunTime
  /** When the one address led to a primary again. */
  writableAt: RunTime
  /** When both instances said that all is well, and every watermark stood. */
  readyAt: RunTime
  /** When the old primary was a replica of the new one. */
  rejoinedAt: RunTime
  /** When Redis was emptied. */
  emptiedAt: RunTime
}

export interface Mended {
  /** Those of the lost logouts that are in the journal again. */
  returned: ReadonlyMap<string, Returned>
  /** Sessions whose lost logout is not in their row again. */
  openSessions: number
  /** What the instances' own counters say, by label. */
  repaired: Record<string, number>
}

export interface FailoverOptions {
  cluster: PatroniCluster
  adminPorts: Record<InstanceName, number>
  seed: number
  say: (line: string) => void
}

const WARM_UP_MS = 8000
const HELD_BACK_MS = 2500
/** For answers that were on their way when the primary was killed. */
const LAST_ANSWERS_MS = 500
/** How long it takes is told; a busy machine is no failure. */
const READY_TIMEOUT_MS = 60_000
const MENDING_MS = 10_000
/** Past the lease and its margin, with time to try what must be refused by then. */
const AFTERMATH_MS = BOUNDS.leaseMs + 6000
const EVERYBODY = [...INSTANCES, 'peer', 'feed'] as const

interface Scene extends FailoverOptions {
  world: RunService
  calls: Api
  records: Recorder
}

/** Rejects when the world is not well to begin with or afterwards, or nobody takes over. */
export async function runFailover(world: RunService, options: FailoverOptions): Promise<FailoverRun> {
  const records = recorder(BOUNDS)
  const calls = api(world, records)
  const scene = { ...options, world, calls, records }
  const { say } = options
  let traffic: Traffic | null = null
  try {
    await untilReady(world, calls)
    traffic = startTraffic(calls, options.seed)
    say('traffic runs')
    await sleep(WARM_UP_MS)
    const { primary, losses, times, window } = await failOver(scene)
    const journal = await watchJournal(options.cluster.url, losses.logouts)
    traffic.haunt(losses.logouts)
    const rejoining = rejoin(scene, primary)

    await untilReady(world, calls, READY_TIMEOUT_MS)
    const readyAt = (window.endedAt = runTime())
    say('both instances are ready')
    await sleep(MENDING_MS)
    await traffic.tryAll()
    const emptied = await forgetAllButJournal(scene)
    await sleep(AFTERMATH_MS)
    await traffic.tryAll()
    say('the traffic ends')
    await traffic.end()
    const rejoinedAt = await rejoining
    say('all is over')
    const repaired = sumOf([...emptied.repaired, ...(await repairedAtEach(scene))])
    const openSessions = await journal.stop()
    return {
      history: records.history,
      losses,
      times: { ...times, readyAt, rejoinedAt, emptiedAt: emptied.at },
      mended: { returned: journal.returned, openSessions, repaired },
    }
  } finally {
    traffic?.stop()
    await calls.close()
  }
}

/** Resolves when the replica has taken over; its window is still open. */
async function failOver({ cluster, records, say }: Scene) {
  const primary = await cluster.primary()
  const standby = cluster.other(primary)
  const window = records.fault({ name: 'Postgres fails over', cannotTell: EVERYBODY, silent: [] })
  const heldBackAt = window.startedAt
  primary.holdBackReplication()
  say('replication is held back')
  await sleep(HELD_BACK_MS)

  // Before the connections are cut: a Patroni that saw its standby go would let commits do without one.
  const killedAt = runTime()
  await primary.kill()
  primary.cutReplication()
  say('the primary was killed')
  await sleep(LAST_ANSWERS_MS)
  const survivors = await readSurvivors(cluster.urlOf(standby))
  const losses = lossesOf(records.history.operations, survivors)

  await cluster.untilWritable()
  const writableAt = runTime()
  say(`the replica has taken over; ${losses.logouts.size} logouts were lost`)
  primary.passReplication()
  return { primary, losses, window, times: { heldBackAt, killedAt, writableAt } }
}

async function rejoin({ say }: Scene, member: Member): Promise<RunTime> {
  await member.start()
  await member.until('replica')
  say('the old primary is a replica of the new one')
  return runTime()
}

/** Redis is emptied, then one instance forgets what it had in memory: it and Redis have nobody but Postgres to ask. */
async function forgetAllButJournal(scene: Scene) {
  const { world, records, calls, seed, say } = scene
  const empty = world.redis.faults.find(({ name }) => name === 'Redis emptied')
  const repaired = await repairedAtEach(scene)
  const windows: FaultWindow[] = [
    records.fault({ name: 'Redis emptied', cannotTell: ['peer', 'feed'], silent: [] }),
    records.fault({ name: 'two killed', cannotTell: ['two', 'peer', 'feed'], silent: ['two'] }),
  ]
  const at = runTime()
  await empty?.begin(seededRandom(seed))
  await world.instances.two.signal('SIGKILL')
  await world.instances.two.start()
  await untilReady(world, calls, READY_TIMEOUT_MS)
  for (const window of windows) window.endedAt = runTime()
  say('Redis was emptied, and an instance started again')
  return { at, repaired: repaired.slice(1) }
}

async function repairedAtEach({ adminPorts }: Scene) {
  return await Promise.all(INSTANCES.map(async (name) => await readRepaired(adminPorts[name])))
}
