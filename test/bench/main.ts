// npm run bench: what Signoff does on this machine, in numbers.
import { availableParallelism, cpus, loadavg } from 'node:os'
import { testEnvironment } from '../support/service/environment.ts'
import { ownPostgres, preparedData } from '../support/servers/postgres.ts'
import { offerPostgres } from '../support/servers/offered-postgres.ts'
import type { Bench } from './bench.ts'
import { measureCost } from './cost.ts'
import { DAY_SETTINGS, measureDay } from './day.ts'
import { measureFeed } from './feed.ts'
import { measureGuesses } from './guesses.ts'
import { measureIdle } from './idle.ts'
import { KEYS_SETTINGS, measureKeys } from './keys.ts'
import { measureLoad } from './load.ts'
import { readOptions, USAGE, type Options } from './options.ts'
import { populate } from './population.ts'
import { measureManySessions } from './many-sessions.ts'
import { measurePropagation } from './propagation.ts'
import { measureRebuild } from './rebuild.ts'
import { report, type Results } from './report.ts'
import { measureStorm } from './storm.ts'
import { measureSweep } from './sweep.ts'
import { measureTiming } from './timing.ts'
import { measureVerify } from './verify.ts'

/** Sessions are many here for each user, and none is to end for it. */
const BASE_SETTINGS = { TRUST_PROXY: 'loopback', MAX_SESSIONS_PER_USER: '10000' }

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (!options) {
    process.stdout.write(USAGE)
    return
  }
  const results = { machine: machine(), ...(await measureAll(options)) }
  process.stdout.write(options.json ? `${JSON.stringify(results, null, 2)}\n` : `\n${report(results)}`)
}

function machine(): Results['machine'] {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    node: process.versions.node,
    loadAverage: loadavg()[0] ?? 0,
  }
}

async function measureAll(options: Options): Promise<Omit<Results, 'machine'>> {
  const say = (line: string): void => {
    if (!options.json) process.stderr.write(`${line} …\n`)
  }
  const on = async <T>(settings: Record<string, string>, work: (bench: Bench) => Promise<T>): Promise<T> => {
    const environment = await testEnvironment({ ...BASE_SETTINGS, ...settings })
    try {
      return await work({ environment, population: await populate(environment, settings), options, say })
    } finally {
      await environment.stop()
    }
  }
  const withdraw = await offerPostgres({ start: ownPostgres, prepare: preparedData })
  try {
    const alone = ['verify', 'many-sessions', 'sweep', 'keys', 'day']
    const needsService = options.parts.some((part) => !alone.includes(part))
    return {
      // First: nothing else is on the machine yet.
      ...(options.parts.includes('verify') && { verify: await measureVerify(say) }),
      ...(needsService && (await on({}, measure))),
      ...(options.parts.includes('many-sessions') && { manySessions: await on({}, measureManySessions) }),
      ...(options.parts.includes('sweep') && { sweep: await on({}, measureSweep) }),
      ...(options.parts.includes('keys') && { keys: await on(KEYS_SETTINGS, measureKeys) }),
      ...(options.parts.includes('day') && { day: await on(DAY_SETTINGS, measureDay) }),
    }
  } finally {
    await withdraw()
  }
}

async function measure(bench: Bench): Promise<Omit<Results, 'machine'>> {
  const { parts } = bench.options
  return {
    // First: nobody has asked for anything yet.
    ...(parts.includes('idle') && { idle: await measureIdle(bench) }),
    ...(parts.includes('timing') && { timing: await measureTiming(bench) }),
    ...(parts.includes('load') && { load: await measureLoad(bench) }),
    ...(parts.includes('cost') && { cost: await measureCost(bench) }),
    ...(parts.includes('storm') && { storm: await measureStorm(bench) }),
    ...(parts.includes('guesses') && { guesses: await measureGuesses(bench) }),
    ...(parts.includes('propagation') && { propagation: await measurePropagation(bench) }),
    ...(parts.includes('feed') && { feed: await measureFeed(bench) }),
    // Last: it leaves the stores full.
    ...(parts.includes('rebuild') && { rebuild: await measureRebuild(bench) }),
  }
}

try {
  await main()
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
