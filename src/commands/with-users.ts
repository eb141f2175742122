// The stores of a command that manages users, and what ends with a session: progress, presence, and word to Redis.
import type { UserAdmin } from '../auth/ports/accounts.ts'
import type { UsersDeps } from '../auth/accounts/manage-users.ts'
import { argon2Passwords } from '../passwords/argon2-passwords.ts'
import { isCommonPassword } from '../passwords/common-passwords.ts'
import { journalReader } from '../store/postgres/journal-reader.ts'
import { logEntries } from '../store/postgres/log-entries.ts'
import { postgresSessions } from '../store/postgres/postgres-sessions.ts'
import { postgresUserAdmin } from '../store/postgres/postgres-user-admin.ts'
import { postgres, type Postgres } from '../store/postgres/postgres.ts'
import { journalNameOf } from '../store/redis/proof.ts'
import { commandPresence, type CommandPresence } from './command-presence.ts'
import { progressLine } from './progress-line.ts'
import { stderrLog } from './stderr-log.ts'
import { redisTeller } from './tell-redis.ts'

export interface UserStores {
  databaseUrl: string
  /** `null`: what ends is left to the relay. */
  redisUrl: string | null
  redisPrefix: string
  leewaySeconds: number
  /** The setting: announcements name the journal by it. */
  issuer: string
  roles: readonly string[]
}

/** Nobody waits behind a command: what it was told to do is done, however long that takes. */
const COMMAND_TIMES = { timeoutMs: 600_000, connectTimeoutMs: 10_000 }

/**
 * Resolves to what `work` resolves to, when its stores are closed. While `work` ends sessions the command is listed
 * among the instances, and stays so where Redis could not be told of all of them.
 */
export async function withUsers<T>(
  { databaseUrl, redisUrl, redisPrefix, leewaySeconds, issuer, roles }: UserStores,
  work: (deps: UsersDeps) => Promise<T>,
): Promise<T> {
  const log = stderrLog()
  const database = postgres({ url: databaseUrl, log, ...COMMAND_TIMES })
  const passwords = argon2Passwords(log)
  const entries = logEntries({
    postgres: database,
    log,
    onFailure: () => undefined,
    onEvent: () => undefined,
  })
  const storeDeps = { postgres: database, logEntries: entries, leewaySeconds }
  const presence = commandPresence(database, log)
  const progress = progressLine((count) => `sessions ended so far: ${count}`)
  const tellRedis = redisTeller({
    redisUrl,
    redisPrefix,
    journalName: async () => await journalNameIn(database, issuer),
    log,
  })
  try {
    const result = await work({
      roles,
      sessions: postgresSessions(storeDeps),
      userAdmin: endingInPresence(postgresUserAdmin(storeDeps), presence),
      passwords,
      isCommonPassword,
      denylist: {
        tell: async (denials) => {
          progress.add(denials.length)
          const isTold = await tellRedis(denials)
          if (!isTold) presence.noteUntold()
        },
      },
    })
    await presence.leave()
    return result
  } finally {
    presence.stop()
    await Promise.all([database.close(), passwords.close()])
  }
}

/** The presence begins before each change that ends sessions. */
function endingInPresence(admin: UserAdmin, presence: CommandPresence): UserAdmin {
  return {
    ...admin,
    disable: async (username, entry) => {
      await presence.begin()
      return await admin.disable(username, entry)
    },
    setPassword: async (change, entry) => {
      await presence.begin()
      return await admin.setPassword(change, entry)
    },
    setRole: async (change, entry) => {
      await presence.begin()
      return await admin.setRole(change, entry)
    },
  }
}

async function journalNameIn(database: Postgres, issuer: string): Promise<string> {
  return journalNameOf((await journalReader(database).clock()).databaseId, issuer)
}
