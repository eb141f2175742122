// Opens the keys of access tokens: those of the file, which is watched, or the secret that peers share.
import type { EpochSeconds } from '../contract/claims.ts'
import { scheduledAccessKeys, sharedAccessKeys, type AccessKeys } from './access-keys.ts'
import { holdSecondsOf } from './key-schedule.ts'
import type { Keys } from './load-keys.ts'
import { signingKeysFile, type SigningKeysFileDeps } from './signing-keys-file.ts'

export interface OpenAccessKeysOptions extends Pick<SigningKeysFileDeps, 'watch' | 'log'> {
  keys: Pick<Keys, 'signing' | 'signingKeysFile'>
  /** `null` signs with the keys. */
  sharedSecret: string | null
  accessTtlSeconds: number
  leewaySeconds: number
  now: () => EpochSeconds
}

export interface OpenAccessKeys extends AccessKeys {
  /** No longer reads the file. */
  close: () => void
}

export function openAccessKeys({
  keys,
  sharedSecret,
  now,
  ...options
}: OpenAccessKeysOptions): OpenAccessKeys {
  if (sharedSecret !== null) return { ...sharedAccessKeys(sharedSecret), close: () => undefined }
  const holdSeconds = holdSecondsOf(options)
  const file = signingKeysFile({
    path: keys.signingKeysFile,
    keys: keys.signing,
    watch: options.watch,
    time: () => ({ now: now(), holdSeconds }),
    log: options.log,
  })
  // It may have changed between the start and now.
  void file.read()
  return { ...scheduledAccessKeys({ keys: file.keys, holdSeconds, now }), close: file.stop }
}
