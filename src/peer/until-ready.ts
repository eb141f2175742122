// Waits until a verifier has what it decides by.
import type { RemoteKeys } from '../remote/remote-keys.ts'
import { pause } from './background.ts'
import type { Denylist } from './denylist.ts'
import { TokenError } from './token-error.ts'

export interface ReadyDeps {
  keys: RemoteKeys
  denylist: Denylist
}

const RETRY_MS = 250

/**
 * Rejects with `keys_unavailable` or `denylist_unknown` after `timeoutMs`, because of what it last failed with.
 * Keeps the process alive meanwhile.
 */
export async function untilReady({ keys, denylist }: ReadyDeps, timeoutMs: number): Promise<void> {
  const over = new AbortController()
  let keysFailure: unknown
  const timedOut = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        keys.version() === 0
          ? new TokenError('keys_unavailable', { cause: keysFailure })
          : new TokenError('denylist_unknown', { cause: denylist.freshness().lastError }),
      )
    }, timeoutMs)
    over.signal.addEventListener('abort', () => {
      clearTimeout(timer)
    })
  })
  try {
    await Promise.race([Promise.all([untilFetched(), denylist.whenKnown()]), timedOut])
  } finally {
    over.abort()
  }

  async function untilFetched(): Promise<void> {
    while (keys.version() === 0 && !over.signal.aborted) {
      await keys.refresh().catch(async (error: unknown) => {
        keysFailure = error
        await pause(RETRY_MS, over.signal)
      })
    }
  }
}
