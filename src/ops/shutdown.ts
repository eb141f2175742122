// What SIGTERM and Ctrl-C do: an orderly end, once; a second one ends at once.
import type { SystemLog } from './log.ts'

/** Resolves after the first signal, when `stop` is done; the caller then returns, and the process ends by itself. */
export async function untilSignalled(stop: () => Promise<void>, log: SystemLog): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        log.info({ signal }, 'stopping: finishing what is in flight')
        process.once(signal, () => process.exit(1))
        resolve()
      })
    }
  })
  await stop()
  log.info('stopped')
}
