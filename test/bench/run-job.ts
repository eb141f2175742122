// Runs one job: as fast as the answers come, or evenly at a given rate.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from './connections.ts'
import type { Job, Outcome } from './generator-protocol.ts'

let isFinished = false

/** Ends the job under way; requests in flight are still waited for. */
export function finishJob(): void {
  isFinished = true
}

export async function runJob(open: readonly Connection[], job: Job): Promise<Outcome> {
  isFinished = false
  const latencies: number[] = []
  const statuses: Record<number, number> = {}
  const connections = open.slice(0, job.connections)
  const utilization = performance.eventLoopUtilization()
  const start = performance.now()
  const run = { job, connections, next: bodiesOf(job, start), measure }

  await (job.perSecond === undefined ? runClosed(run) : runPaced(run, job.perSecond))
  return {
    seconds: (performance.now() - start) / 1000,
    latencies,
    statuses,
    clientBusy: performance.eventLoopUtilization(utilization).utilization,
  }

  async function measure(since: number, answer: Promise<number>): Promise<void> {
    const status = await answer
    latencies.push(performance.now() - since)
    statuses[status] = (statuses[status] ?? 0) + 1
  }
}

interface Run {
  job: Job
  connections: Connection[]
  /** The next body; `null` when the job is over. */
  next: () => string | null
  measure: (since: number, answer: Promise<number>) => Promise<void>
}

function bodiesOf({ bodies, once = false, seconds }: Job, start: number): () => string | null {
  const deadline = start + seconds * 1000
  let index = 0
  return () => {
    if (isFinished || performance.now() >= deadline || (once && index >= bodies.length)) return null
    return bodies[index++ % bodies.length] ?? null
  }
}

async function runClosed({ job, connections, next, measure }: Run): Promise<void> {
  await Promise.all(
    connections.map(async (connection) => {
      for (let body = next(); body !== null; body = next()) {
        await measure(performance.now(), connection.post(job.path, body))
      }
    }),
  )
}

/** A request starts in its turn whether or not those before it are answered, and is measured from then on. */
async function runPaced({ job, connections, next, measure }: Run, perSecond: number): Promise<void> {
  const answers: Promise<void>[] = []
  const start = performance.now()
  for (let body = next(); body !== null; body = next()) {
    const connection = connections[answers.length % connections.length]
    if (!connection) break
    answers.push(measure(performance.now(), connection.post(job.path, body)))
    const due = start + (answers.length * 1000) / perSecond
    await sleep(Math.max(0, due - performance.now()))
  }
  await Promise.all(answers)
}
