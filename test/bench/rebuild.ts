// Part four: Redis killed and restarted empty under many live denials: how long it takes, and what refreshes notice.
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, type TestEnvironment } from '../support/service/environment.ts'
import { targetOf, type Bench } from './bench.ts'
import { refreshBodies } from './bodies.ts'
import { fillJournal, isReady, killAndLoseData } from './filled-journal.ts'
import { openGenerator, type Generator } from './generator.ts'
import { refreshTimes, type RefreshTimes } from './refresh-times.ts'

export interface RebuildResult {
  denials: number
  /** From when the empty Redis took connections until `/readyz` said that it is in line with the journal. */
  secondsToReady: number
  before: RefreshTimes
  /** From the kill until `/readyz` was well again. */
  during: RefreshTimes
  /** The longest that the restarted Redis kept another client waiting; this process, which does nothing else. */
  worstPingMs: number
  /** Delays of a timer of 10 ms in the service, these 10 ms included, since the kill. */
  eventLoop: EventLoopDelays
  /** What Redis grew by, the append-only file's buffers included. */
  bytesPerDenial: number
}

interface EventLoopDelays {
  p50Ms: number
  p99Ms: number
  maxMs: number
}

/** More connections than are ever busy, so that no refresh waits for another. */
const REFRESHES = { path: '/auth/token/refresh/', connections: 64, perSecond: 100 }
const SESSIONS = 100
const LONGEST_SECONDS = 600
const PING_EVERY_MS = 5
const LOOK_EVERY_MS = 20

export async function measureRebuild(bench: Bench): Promise<RebuildResult> {
  const { environment, population, options, say } = bench
  say(`${options.denials} live denials into the journal`)
  await fillJournal(environment, options.denials)
  const generator = await openGenerator(await targetOf(environment, REFRESHES.connections))
  try {
    const job = { ...REFRESHES, bodies: refreshBodies(await population.beginSessions(SESSIONS)) }
    await generator.run({ ...job, seconds: 1 })
    say('refreshes at rest')
    const before = refreshTimes(await generator.run({ ...job, seconds: options.seconds }))

    say('refreshes while Redis is killed, restarted empty and written anew')
    const running = generator.run({ ...job, seconds: LONGEST_SECONDS })
    const restarted = await restartEmpty(bench, generator)
    const during = refreshTimes(await running)
    return { denials: options.denials, before, during, ...restarted }
  } finally {
    await generator.close()
  }
}

type Restarted = Pick<RebuildResult, 'secondsToReady' | 'worstPingMs' | 'eventLoop' | 'bytesPerDenial'>

async function restartEmpty({ environment, options }: Bench, generator: Generator): Promise<Restarted> {
  const { redis, signoff } = environment
  try {
    // Asking begins a new span.
    await eventLoopDelays(signoff.adminUrl)
    await killAndLoseData(environment)
    await eventually(async () => !(await isReady(environment)))
    await redis.start()
    const startedAt = performance.now()
    const emptyBytes = await usedBytes(environment)
    const pings = measurePings(environment)
    try {
      while (!(await isReady(environment))) {
        if (performance.now() - startedAt > LONGEST_SECONDS * 1000)
          throw new Error('Redis is not written in time')
        await sleep(LOOK_EVERY_MS)
      }
    } finally {
      pings.stop()
    }
    return {
      secondsToReady: (performance.now() - startedAt) / 1000,
      worstPingMs: await pings.worstMs,
      eventLoop: await eventLoopDelays(signoff.adminUrl),
      bytesPerDenial: ((await usedBytes(environment)) - emptyBytes) / options.denials,
    }
  } finally {
    generator.finish()
  }
}

async function usedBytes({ redis }: TestEnvironment): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.client.info('memory'))?.[1])
}

/** Of this process's own connection, one at a time. */
function measurePings({ redis }: TestEnvironment): { worstMs: Promise<number>; stop: () => void } {
  let isOver = false
  const measure = async (): Promise<number> => {
    let worst = 0
    while (!isOver) {
      const start = performance.now()
      await redis.client.ping()
      worst = Math.max(worst, performance.now() - start)
      await sleep(PING_EVERY_MS)
    }
    return worst
  }
  return {
    worstMs: measure(),
    stop: () => {
      isOver = true
    },
  }
}

/** Since it was last asked. */
async function eventLoopDelays(adminUrl: string): Promise<EventLoopDelays> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  const ms = (name: string): number =>
    Number(new RegExp(`^nodejs_eventloop_lag_${name}_seconds (\\S+)`, 'm').exec(text)?.[1]) * 1000
  return { p50Ms: ms('p50'), p99Ms: ms('p99'), maxMs: ms('max') }
}
