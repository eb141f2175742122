// npm run simulate: seeds by the thousand, one with its trace, or until a planted bug is found.
import { parseArgs } from 'node:util'
import { compiledCopy } from './compiled-copy.ts'
import { PLANTED } from './planted/planted.ts'
import type { PlannedFault } from './faults.ts'
import { runSeeds } from './run-seeds.ts'
import type { SeedResult } from './run-seed.ts'
import { shrink } from './shrink.ts'
import type { SeedOrder } from './worker.ts'

const HELP = `npm run simulate -- [options]

Runs the relay, the denylist, the feed, the mender, the use cases and a peer's replica in simulated worlds, in virtual
time. All that happens in a world follows from its seed.

  --seeds N      that many seeds (1000)
  --from N       the first of them (1)
  --seconds N    no longer than that
  --workers N    processes (2)
  --seed S       replays one seed, with its trace
  --shrink       with --seed: with the fewest faults that still bring its violation about
  --plant NAME   with that bug planted in a copy of the code; stops when it is found
  --json         a summary for machines
  --help

Exit status: 0 without violations, or when a planted bug was found; else 1.

Planted bugs: ${PLANTED.map(({ name }) => name).join(', ')}
`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seconds: { type: 'string', default: 'Infinity' },
    workers: { type: 'string', default: '2' },
    seed: { type: 'string' },
    shrink: { type: 'boolean', default: false },
    plant: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const tell = (text: string): void => void process.stderr.write(`${text}\n`)

if (values.help) say(HELP)
else process.exitCode = await main()

async function main(): Promise<number> {
  const planted = PLANTED.find(({ name }) => name === values.plant)
  if (values.plant !== undefined && !planted) {
    tell(`there is no planted bug called ${values.plant}`)
    return 2
  }
  const copy = await compiledCopy(planted?.changes)
  process.once('SIGINT', () => {
    void copy.remove().finally(() => process.exit(130))
  })
  try {
    if (values.seed !== undefined) return await replay(copy.worker, Number(values.seed))
    const isFound = await many(copy.worker)
    return isFound === (planted !== undefined) ? 0 : 1
  } finally {
    await copy.remove()
  }
}

async function one(worker: string, order: SeedOrder): Promise<SeedResult> {
  const results: SeedResult[] = []
  const orders = [order]
  await runSeeds({
    worker,
    workers: 1,
    next: () => orders.shift() ?? null,
    onResult: (result) => void results.push(result),
  })
  const [result] = results
  if (!result) throw new Error('no result')
  return result
}

async function replay(worker: string, seed: number): Promise<number> {
  const isFailing = async (faults: readonly PlannedFault[]): Promise<boolean> =>
    (await one(worker, { seed, faults })).violations.length > 0
  let result = await one(worker, { seed })
  if (values.shrink && result.violations.length > 0) {
    const faults = await shrink(result.faults, isFailing)
    result = await one(worker, { seed, faults, isTraced: true })
  } else result = await one(worker, { seed, faults: result.faults, isTraced: true })
  say(result.trace.join('\n'))
  say(`settings: ${JSON.stringify(result.settings)}`)
  for (const { name, atMs, durationMs, choice } of result.faults)
    say(`fault: ${name}, at ${atMs} ms for ${durationMs} ms, choice ${choice.toFixed(3)}`)
  for (const violation of result.violations) say(`VIOLATION ${words(violation)}`)
  say(JSON.stringify(result.counts))
  return result.violations.length > 0 ? 1 : 0
}

function words({ rule, atMs, sentence }: SeedResult['violations'][number]): string {
  return `of ${rule} at ${(atMs / 1000).toFixed(3)} s: ${sentence}`
}

/** Resolves to whether anything was found. */
async function many(worker: string): Promise<boolean> {
  const from = Number(values.from)
  const until = from + Number(values.seeds)
  const startedAt = performance.now()
  const deadline = startedAt + Number(values.seconds) * 1000
  const total = {
    seeds: 0,
    faults: 0,
    seconds: 0,
    events: 0,
    cpuMs: 0,
    attempts: 0,
    acknowledged: 0,
    forgotten: 0,
  }
  const failing: { seed: number; rules: string[] }[] = []
  let seed = from
  let toldAt = startedAt
  const isPlanted = values.plant !== undefined

  await runSeeds({
    worker,
    workers: Number(values.workers),
    next: () => {
      const isOver = seed >= until || performance.now() > deadline || (isPlanted && failing.length > 0)
      if (isOver) return null
      seed += 1
      return { seed: seed - 1 }
    },
    onResult: (result, cpuMs) => {
      total.seeds += 1
      total.faults += result.faults.length
      total.seconds += result.seconds
      total.events += result.events
      total.cpuMs += cpuMs
      total.attempts += result.counts.attempts
      total.acknowledged += result.counts.acknowledged
      total.forgotten += result.counts.forgotten
      if (result.violations.length > 0) {
        failing.push({ seed: result.seed, rules: [...new Set(result.violations.map(({ rule }) => rule))] })
        tell(`seed ${result.seed} (${result.settings.shape}, second: ${result.settings.second}):`)
        for (const violation of result.violations.slice(0, 3)) tell(`  ${words(violation)}`)
      }
      if (performance.now() - toldAt < 10_000) return
      toldAt = performance.now()
      tell(`${total.seeds} seeds, ${total.faults} faults, ${failing.length} with violations`)
    },
  })

  const wallSeconds = (performance.now() - startedAt) / 1000
  const summary = {
    ...total,
    failing: failing.sort((a, b) => a.seed - b.seed),
    wallSeconds: Math.round(wallSeconds * 10) / 10,
    simulatedDays: total.seconds / 86_400,
    simulatedDaysPerMinute: (total.seconds / 86_400 / wallSeconds) * 60,
    cpuMsPerSimulatedSecond: total.cpuMs / total.seconds,
  }
  if (values.json) say(JSON.stringify(summary))
  else {
    say(
      `${total.seeds} seeds, ${total.faults} faults, ${total.acknowledged} logouts acknowledged, ${total.attempts} attempts in ${summary.wallSeconds} s`,
    )
    say(
      `${summary.simulatedDays.toFixed(2)} days of the service's life, ${summary.simulatedDaysPerMinute.toFixed(2)} a minute; ${summary.cpuMsPerSimulatedSecond.toFixed(2)} ms of CPU a simulated second`,
    )
    say(`${failing.length} seeds with violations`)
    const [first] = summary.failing
    if (isPlanted && first)
      say(`found ${values.plant ?? ''} at seed ${first.seed}, after ${first.seed - from + 1} seeds`)
  }
  return failing.length > 0
}
