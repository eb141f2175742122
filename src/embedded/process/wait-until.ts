// Waits for something to become true, within a time.
import { setTimeout as sleep } from 'node:timers/promises'

const INTERVAL_MS = 25

/** Resolves true as soon as `check` does, false once `timeoutMs` have passed without. */
export async function waitUntil(
  check: () => Promise<boolean> | boolean,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    if (await check()) return true
    if (Date.now() >= deadline) return false
    await sleep(INTERVAL_MS)
  }
}
