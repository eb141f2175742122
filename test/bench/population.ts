// The users and sessions that the load needs, made in bulk.
import type { TestEnvironment } from '../support/service/environment.ts'
import { sessionsInBulk } from '../support/service/sessions-in-bulk.ts'

/** A login holds its user's row until it is durable, so that one user alone would be a queue. */
const USERS = 64

export const INACTIVE_USER = 'retired'

export interface Population {
  usernames: string[]
  /** Refresh tokens of as many new sessions, spread over the users. */
  beginSessions: (count: number, options?: { rotates: boolean }) => Promise<string[]>
  /** Access tokens of as many new sessions. */
  accessTokens: (count: number) => Promise<string[]>
}

/** `settings` are those of the service that go beyond the defaults. */
export async function populate(
  { database, signoff }: TestEnvironment,
  settings: Record<string, string> = {},
): Promise<Population> {
  const bulk = await sessionsInBulk({ database, files: signoff.files, settings })
  const usernames = Array.from({ length: USERS }, (_, index) => `user-${index}`)
  const userIds = await bulk.addUsers(usernames)
  await bulk.addUsers([INACTIVE_USER])
  await database.sql('UPDATE users SET is_active = false WHERE username = $1', [INACTIVE_USER])

  return {
    usernames,
    beginSessions: async (count, { rotates } = { rotates: false }) => {
      const sessions = await bulk.begin({ userIds, count, rotates })
      return sessions.map(({ token }) => token)
    },
    accessTokens: async (count) => {
      const sessions = await bulk.begin({ userIds, count })
      return sessions.map((session) => bulk.accessTo(session))
    },
  }
}
