// Lists a command among the instances while it ends sessions: an instance that knows of it waits for its word.
import { hostname } from 'node:os'
import { v4 as uuidv4 } from 'uuid'
import { every, systemClock } from '../clock.ts'
import type { SystemLog } from '../ops/log.ts'
import { instances } from '../store/postgres/instances.ts'
import type { Postgres } from '../store/postgres/postgres.ts'
import { introduce } from '../store/vouching/introduce.ts'

export interface CommandPresence {
  /** Before sessions end: resolves when every instance has heard of the command, or could not be made to. */
  begin(): Promise<void>
  /** Notes that Redis does not have all that was ended. */
  noteUntold(): void
  /** After all of it. Never rejects: an instance that is not unlisted goes by time. */
  leave(): Promise<void>
  stop(): void
}

/** An instance is listed as present for ten seconds after it was heard of. */
const PRESENT_EVERY_MS = 2000

export function commandPresence(database: Postgres, log: SystemLog): CommandPresence {
  const instanceId = uuidv4()
  const self = instances(database, {
    id: instanceId,
    name: `${hostname()}:${process.pid}`,
    isCommand: true,
  })
  let isBegun = false
  let isAllTold = true
  let stop = (): void => undefined

  return {
    begin: async () => {
      // As long as it ends sessions, however long that takes: one that is not heard of is not waited for.
      isBegun = true
      stop = every(systemClock, PRESENT_EVERY_MS, () => void self.present().catch(() => undefined))
      if (await introduce({ clock: systemClock, instanceId, instances: self })) return
      log.warn(
        'an instance has not heard of this command: without Postgres it may vouch for what is ended now',
      )
    },

    noteUntold: () => {
      isAllTold = false
    },

    leave: async () => {
      stop()
      // After all of it: otherwise its word is waited for, in vain, until a round has brought what is missing.
      if (isBegun && isAllTold) await self.leave().catch(() => undefined)
    },

    stop: () => {
      stop()
    },
  }
}
