// The process that generates load: opens its connections, then runs the jobs it is sent.
import { closeConnections, openConnections, type Connection } from './connections.ts'
import type { FromGenerator, ToGenerator } from './generator-protocol.ts'
import { finishJob, runJob } from './run-job.ts'

let connections: Connection[] = []

process.on('message', (message) => {
  obey(message as ToGenerator).then(
    (answer) => {
      if (answer) say(answer)
    },
    (error: unknown) => {
      say({ failure: error instanceof Error ? error.message : String(error) })
    },
  )
})
// The parent is done, or gone.
process.on('disconnect', () => {
  closeConnections(connections)
})

async function obey(message: ToGenerator): Promise<FromGenerator | null> {
  if ('finish' in message) {
    finishJob()
    return null
  }
  if ('run' in message) return { outcome: await runJob(connections, message.run) }
  connections = await openConnections(message.open)
  return { opened: true }
}

function say(answer: FromGenerator): void {
  process.send?.(answer)
}
