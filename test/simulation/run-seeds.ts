// Many seeds at once, over the processes that run them.
import { fork, type ChildProcess } from 'node:child_process'
import type { SeedResult } from './run-seed.ts'
import type { SeedOrder, SeedReport } from './worker.ts'

export interface SeedRun {
  worker: string
  workers: number
  /** `null`: there are no more. */
  next: () => SeedOrder | null
  onResult: (result: SeedResult, cpuMs: number) => void
}

/** A seed takes well under a second; this one is caught in a loop. */
const STUCK_MS = 120_000

/** Resolves when there are no more seeds. Rejects when the simulation itself fails. */
export async function runSeeds({ worker, workers, next, onResult }: SeedRun): Promise<void> {
  await Promise.all(Array.from({ length: workers }, runInOne))

  async function runInOne(): Promise<void> {
    const child = fork(worker, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    try {
      for (let order = next(); order; order = next()) {
        const report = await reportOf(child, order)
        if (report.kind === 'broken')
          throw new Error(`the simulation has failed at seed ${report.seed}: ${report.reason}`)
        onResult(report.result, report.cpuMs)
      }
    } finally {
      child.kill('SIGKILL')
    }
  }
}

async function reportOf(child: ChildProcess, order: SeedOrder): Promise<SeedReport> {
  return await new Promise<SeedReport>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`seed ${order.seed} comes to no end`))
    }, STUCK_MS)
    const onExit = (): void => {
      clearTimeout(timer)
      reject(new Error(`the process that ran seed ${order.seed} has ended`))
    }
    child.once('exit', onExit)
    child.once('message', (report) => {
      clearTimeout(timer)
      child.off('exit', onExit)
      resolve(report as SeedReport)
    })
    child.send(order)
  })
}
