// One run: traffic and faults side by side, then peace, then everything once more, and what the checker says.
import { setTimeout as sleep } from 'node:timers/promises'
import { api } from './api.ts'
import { checkHistory, timeOf } from './check-history.ts'
import type { Violation } from './check/violation.ts'
import { clients } from './clients.ts'
import { faultsOf, type Fault } from './faults.ts'
import { graveyard } from './graveyard.ts'
import type { History } from './history.ts'
import { seededRandom } from './random.ts'
import { recorder, runTime, type Recorder } from './recorder.ts'
import { planFaults, type PlannedFault } from './schedule.ts'
import { untilReady } from './until-ready.ts'
import { BOUNDS, type World } from './world.ts'

export interface CampaignOptions {
  seed: number
  /** How long faults go on; peace comes on top. `0`: no faults. */
  lengthMs: number
  /** Ends the faults early, not the rest. */
  signal: AbortSignal
  /** Ends them at the first violation, too. */
  stopsAtViolation?: boolean
  /** Ends them when it says so. */
  isEnough?: (history: History) => boolean
  onProgress?: (history: History) => void
}

export interface Campaign {
  history: History
  violations: Violation[]
}

const PROGRESS_EVERY_MS = 10_000
const LOOK_EVERY_MS = 2000
/** Where no faults were asked for: so that tokens come to their end. */
const QUIET_MS = 45_000

/** Leaves the world in peace. Rejects when something cannot be started again, or the world is not well to begin with. */
export async function runCampaign(world: World, options: CampaignOptions): Promise<Campaign> {
  const { seed, lengthMs } = options
  const records = recorder(BOUNDS)
  const calls = api(world, records)
  const random = seededRandom(seed)
  const graves = graveyard({ api: calls, random, bounds: BOUNDS })
  const traffic = clients({ api: calls, graveyard: graves, random, bounds: BOUNDS })
  const watch = watched(records, options)
  try {
    await untilReady(world, calls)
    const running = Promise.all([traffic.run(), graves.haunt()])
    const ended = injectAll({ world, seed, lengthMs, records, signal: watch.signal })
    await ended.finally(async () => {
      await sleep(peaceMs(lengthMs))
      traffic.stop()
      graves.stop()
      await running
    })
    await graves.tryAll()
  } finally {
    watch.stop()
    await calls.close()
  }
  return { history: records.history, violations: checkHistory(records.history) }
}

function peaceMs(lengthMs: number): number {
  return lengthMs === 0 ? QUIET_MS : BOUNDS.settleMs + BOUNDS.leaseMs
}

/** Tells how it goes, and looks for violations where one is enough. */
function watched(records: Recorder, options: CampaignOptions) {
  const found = new AbortController()
  const { history } = records
  const look = (): void => {
    const cutoff = records.completeUpTo()
    if (checkHistory(history).some((violation) => timeOf(violation) < cutoff)) found.abort()
  }
  const timers = [
    setInterval(() => options.onProgress?.(history), PROGRESS_EVERY_MS),
    ...(options.stopsAtViolation ? [setInterval(look, LOOK_EVERY_MS)] : []),
    setInterval(() => {
      if (options.isEnough?.(history)) found.abort()
    }, LOOK_EVERY_MS),
  ]
  return {
    signal: AbortSignal.any([options.signal, found.signal]),
    stop: () => {
      for (const timer of timers) clearInterval(timer)
    },
  }
}

interface Injection {
  world: World
  seed: number
  lengthMs: number
  records: Recorder
  signal: AbortSignal
}

async function injectAll(injection: Injection): Promise<void> {
  const { world, seed, lengthMs, signal } = injection
  if (lengthMs === 0) return
  const faults = faultsOf(world)
  const startedAt = runTime()
  /** The last fault of each target, which the next one waits for. */
  const queues = new Map<Fault['target'], Promise<void>>()
  for (const planned of planFaults(faults, seed, lengthMs)) {
    await pause(planned.atMs - (runTime() - startedAt), signal)
    if (signal.aborted || runTime() - startedAt > lengthMs) break
    const fault = faults.find(({ name }) => name === planned.name)
    if (!fault) continue
    const before = queues.get(fault.target) ?? Promise.resolve()
    const done = before.then(async () => {
      await inject(injection, fault, planned)
    })
    // Noticed below; until then it is nobody's to handle.
    done.catch(() => undefined)
    queues.set(fault.target, done)
  }
  await Promise.all(queues.values())
}

async function inject(
  { world, seed, records, signal }: Injection,
  fault: Fault,
  { atMs, durationMs }: PlannedFault,
): Promise<void> {
  const { name, cannotTell, silent } = fault
  const window = records.fault({ name, cannotTell, silent })
  await fault.begin(world, seededRandom(seed + atMs))
  await pause(durationMs - (runTime() - window.startedAt), signal)
  await fault.end(world)
  window.endedAt = runTime()
}

/** Ends early when the run does. */
async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  if (durationMs > 0) await sleep(durationMs, undefined, { signal }).catch(() => undefined)
}
