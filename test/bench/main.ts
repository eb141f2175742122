// npm run bench: what Signoff does on this machine, in numbers.
import { availableParallelism, cpus, loadavg } from 'node:os'
import { testEnvironment } from '../support/environment.ts'
import { stopPostgres } from '../support/postgres.ts'
import type { Bench } from './bench.ts'
import { measureLoad } from './load.ts'
import { readOptions, USAGE, type Options } from './options.ts'
import { populate } from './population.ts'
import { report, type Results } from './report.ts'
import { measureStorm } from './storm.ts'
import { measureTiming } from './timing.ts'

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
  try {
    const environment = await testEnvironment({ TRUST_PROXY: 'loopback' })
    try {
      return await measure({ environment, population: await populate(environment), options, say })
    } finally {
      await environment.stop()
    }
  } finally {
    await stopPostgres()
  }
}

async function measure(bench: Bench): Promise<Omit<Results, 'machine'>> {
  const { parts } = bench.options
  return {
    ...(parts.includes('timing') && { timing: await measureTiming(bench) }),
    ...(parts.includes('load') && { load: await measureLoad(bench) }),
    ...(parts.includes('storm') && { storm: await measureStorm(bench) }),
  }
}

try {
  await main()
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
