// What an instance at rest costs: nobody logs in, refreshes or logs out.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './bench.ts'
import { coreShares, readCpu, type CoreShares } from './cpu.ts'

export interface IdleResult {
  seconds: number
  shares: CoreShares
}

/** The first seconds after the start are not rest. */
const SETTLING_MS = 5000

export async function measureIdle({ environment, options, say }: Bench): Promise<IdleResult> {
  await sleep(SETTLING_MS)
  say(`${options.seconds} seconds of rest`)
  const startedAt = performance.now()
  const before = await readCpu(environment)
  await sleep(options.seconds * 1000)
  const after = await readCpu(environment)
  const seconds = (performance.now() - startedAt) / 1000
  return { seconds, shares: coreShares(before, after, seconds) }
}
