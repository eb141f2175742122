// The file of the signing keys, read again when it changes: a key that is put there is published without a restart.
import { readTrustedFile } from '../file-trust.ts'
import { keySchedule, type ScheduleTime } from './key-schedule.ts'
import { readSigningKeys, type SigningKeys } from './signing-keys.ts'

export interface SigningKeysFile {
  /** As they were read last. */
  keys: () => SigningKeys
  /** Reads the file; resolves when that is done, after all readings before it. Never rejects. */
  read: () => Promise<void>
  stop: () => void
}

export interface SigningKeysFileDeps {
  path: string
  /** As they were read at the start. */
  keys: SigningKeys
  /** Calls back once for each change; returns what ends that. */
  watch: (files: readonly string[], onChange: () => void) => () => void
  time: () => ScheduleTime
  log: Record<'info' | 'warn', (fields: object, message: string) => void>
}

/** A file that cannot be read, is not right or could have been written by others leaves the keys in use as they are; the log tells, once for a change. */
export function signingKeysFile(deps: SigningKeysFileDeps): SigningKeysFile {
  const { path, log } = deps
  let { keys } = deps
  let reading = Promise.resolve()
  const read = async (): Promise<void> => {
    // One after the other, so that the text that was read last is in use.
    reading = reading.then(readOnce)
    await reading
  }
  const stop = deps.watch([path], () => void read())

  return { keys: () => keys, read, stop }

  async function readOnce(): Promise<void> {
    try {
      take(await readSigningKeys(readTrustedFile(path)))
    } catch (error) {
      log.warn({ err: error, file: path }, 'the signing keys cannot be read again; those in use stay in use')
    }
  }

  function take(found: SigningKeys): void {
    if (scheduleText(found) === scheduleText(keys)) return
    const kids = found.map(({ kid }) => kid)
    const schedule = keySchedule(keys, deps.time())
    const gone = schedule.flatMap(({ key: { kid }, state }) =>
      ['signs', 'verifies'].includes(state) && !kids.includes(kid) ? [kid] : [],
    )
    keys = found
    if (gone.length === 0) log.info({ kids }, 'the signing keys were read again')
    else log.warn({ kids, gone }, 'keys are gone from the file whose tokens may be alive: these are refused')
  }
}

function scheduleText(keys: SigningKeys): string {
  return JSON.stringify(
    keys.map(({ kid, signsFrom, publicKey }) => [kid, signsFrom, publicKey.export({ format: 'jwk' })]),
  )
}
