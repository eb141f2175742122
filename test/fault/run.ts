// npm run fault: the proof of the promise, as long as one likes.
import { runCampaign, type Campaign } from './campaign.ts'
import { checkHistory } from './check-history.ts'
import { readHistory, writeHistory, type History } from './history.ts'
import { readOptions, USAGE, type Options } from './options.ts'
import { plant } from './planted/plant.ts'
import { PLANTED } from './planted/planted.ts'
import { redisOf } from './redis-of.ts'
import { progress, report } from './report.ts'
import { descendantsOf } from '../support/servers/process-tree.ts'
import { startWorld, type World } from './world.ts'

const MINUTE_MS = 60_000

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  if (!options) {
    process.stdout.write(USAGE)
    return 0
  }
  if (options.check !== null) {
    const history = readHistory(options.check)
    return tell({ history, violations: checkHistory(history) })
  }
  return await run(options)
}

async function run(options: Options): Promise<number> {
  const { seed, history: historyFile } = options
  process.stderr.write(`seed ${seed}\n`)
  const bug = PLANTED.find(({ name }) => name === options.plant)
  const program = bug && (await plant(bug))
  try {
    const campaign = await inWorld(options, program?.dist)
    if (historyFile !== null) writeHistory(historyFile, bug ? proofOf(campaign) : campaign.history)
    const status = tell(campaign)
    process.stdout.write(`Seed: ${seed}\n`)
    if (!bug) return status
    process.stdout.write(verdict(bug.name, campaign))
    return 1 - status
  } finally {
    await program?.remove()
  }
}

async function inWorld(options: Options, dist?: string): Promise<Campaign> {
  const stopped = new AbortController()
  // The first one ends the faults, and what was found so far is told; the next one is for the impatient.
  const stop = (): void => {
    if (stopped.signal.aborted) process.exit(130)
    stopped.abort()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const startedAt = performance.now()
  let world: World | undefined
  try {
    world = await startWorld({ redis: redisOf(options.redis), ...(dist !== undefined && { dist }) })
    return await runCampaign(world, {
      seed: options.seed,
      lengthMs: options.minutes * MINUTE_MS,
      signal: stopped.signal,
      stopsAtViolation: options.plant !== null,
      onProgress: (history) => {
        const elapsed = Math.round((performance.now() - startedAt) / 1000)
        process.stderr.write(`${elapsed} s: ${progress(history)}\n`)
      },
    })
  } finally {
    await world?.stop()
  }
}

/** What the first violation rests on: its session, and the faults. */
function proofOf({ history, violations }: Campaign): History {
  const sid = violations[0]?.operations[0]?.sid ?? null
  return { ...history, operations: history.operations.filter((operation) => operation.sid === sid) }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is not.
  }
}

function tell(campaign: Campaign): number {
  process.stdout.write(report(campaign))
  return campaign.violations.length > 0 ? 1 : 0
}

function verdict(name: string, { history, violations }: Campaign): string {
  const [first] = violations
  const begin = history.operations[0]?.startedAt ?? 0
  if (!first) return `${name} was not found\n`
  const seconds = Math.round(((first.operations[0]?.endedAt ?? begin) - begin) / 1000)
  return `${name} was found after ${seconds} s, by rule (${first.rule})\n`
}

// Whatever ends this ends all that it started, the hung ones too.
process.on('exit', () => {
  for (const pid of descendantsOf(process.pid)) killIfThere(pid)
})

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`fault: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
