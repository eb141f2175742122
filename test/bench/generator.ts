// A process that generates load, so that neither the measuring nor another load delays it.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { FromGenerator, Job, Outcome, Target, ToGenerator } from './generator-protocol.ts'

export interface Generator {
  /** One job at a time. */
  run(job: Job): Promise<Outcome>
  /** Ends the job under way before its time; what is in flight is still answered. */
  finish(): void
  close(): Promise<void>
}

/** Resolves when every connection is open. */
export async function openGenerator(target: Target): Promise<Generator> {
  const child = fork(new URL('./generator-process.ts', import.meta.url), { serialization: 'advanced' })
  await ask(child, { open: target })
  return {
    run: async (job) => {
      const answer = await ask(child, { run: job })
      if ('outcome' in answer) return answer.outcome
      throw new Error('the load generator gave no outcome')
    },
    finish: () => {
      child.send({ finish: true } satisfies ToGenerator)
    },
    close: async () => {
      if (!child.connected) return
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

async function ask(child: ChildProcess, message: ToGenerator): Promise<FromGenerator> {
  const answer = await new Promise<FromGenerator>((resolve, reject) => {
    const onExit = (): void => {
      reject(new Error('the load generator ended early'))
    }
    child.once('exit', onExit)
    child.once('message', (received) => {
      child.off('exit', onExit)
      resolve(received as FromGenerator)
    })
    child.send(message)
  })
  if ('failure' in answer) throw new Error(answer.failure)
  return answer
}
