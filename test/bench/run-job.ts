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
  const run = { job, connections, next: requestsOf(job, start), measure }

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
  /** The next request; `null` when the job is over. */
  next: () => Request | null
  measure: (since: number, answer: Promise<number>) => Promise<void>
}

interface Request {
  body: string
  headers: Record<string, string>
}

function requestsOf({ bodies, bearers = [], headers = {}, once = false, seconds }: Job, start: number) {
  const deadline = start + seconds * 1000
  let index = 0
  return (): Request | null => {
    if (isFinished || performance.now() >= deadline || (once && index >= bodies.length)) return null
    const body = bodies[index % bodies.length] ?? ''
    const bearer = bearers[index % bearers.length]
    index += 1
    return {
      body,
      headers: bearer === undefined ? headers : { ...headers, Authorization: `Bearer ${bearer}` },
    }
  }
}

async function runClosed({ job, connections, next, measure }: Run): Promise<void> {
  await Promise.all(
    connections.map(async (connection) => {
      for (let request = next(); request !== null; request = next()) {
        await measure(performance.now(), connection.post(job.path, request.body, request.headers))
      }
    }),
  )
}

/** A request starts in its turn whether or not those before it are answered, and is measured from then on. */
async function runPaced({ job, connections, next, measure }: Run, perSecond: number): Promise<void> {
  const answers: Promise<void>[] = []
  const start = performance.now()
  for (let request = next(); request !== null; request = next()) {
    const connection = connections[answers.length % connections.length]
    if (!connection) break
    const answer = connection.post(job.path, request.body, request.headers)
    answers.push(measure(performance.now(), answer))
    const due = start + (answers.length * 1000) / perSecond
    await sleep(Math.max(0, due - performance.now()))
  }
  await Promise.all(answers)
}
