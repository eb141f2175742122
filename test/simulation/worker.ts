// A process that runs the seeds it is handed, one after the other, and tells what came of each.
import { runSeed, type SeedOptions, type SeedResult } from './run-seed.ts'

export interface SeedOrder extends SeedOptions {
  seed: number
}

export type SeedReport =
  | { kind: 'done'; result: SeedResult; cpuMs: number }
  /** The simulation itself has failed. */
  | { kind: 'broken'; seed: number; reason: string }

// Errors are many, and nobody looks at where they come from.
Error.stackTraceLimit = process.env['SIMULATION_STACKS'] === undefined ? 0 : 20

let queue: Promise<void> = Promise.resolve()

process.on('message', (order: SeedOrder) => {
  queue = queue.then(async () => {
    await obey(order)
  })
})
process.on('disconnect', () => {
  process.exit()
})

async function obey(order: SeedOrder): Promise<void> {
  const before = process.cpuUsage()
  let report: SeedReport
  try {
    const result = await runSeed(order.seed, order)
    const { user, system } = process.cpuUsage(before)
    report = { kind: 'done', result, cpuMs: (user + system) / 1000 }
  } catch (error) {
    report = { kind: 'broken', seed: order.seed, reason: String((error as Error).stack) }
  }
  await new Promise<void>((resolve) => {
    process.send?.(report, () => {
      resolve()
    })
  })
}
