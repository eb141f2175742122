// SIGTERM and Ctrl-C bring an orderly end, once; a second one ends the process at once.

/** Resolves with the first signal from now on; also when it comes before anybody waits for it. */
export async function stopSignal(): Promise<NodeJS.Signals> {
  return await new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1))
        resolve(signal)
      })
    }
  })
}
