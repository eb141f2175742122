// Many sessions that end in one statement, while others end, rotate or lock the same ones.
import { expect } from 'chai'
import { Client } from 'pg'
import { v4 as uuidv4 } from 'uuid'
import type { Account } from '../../../../src/auth/ports/accounts.ts'
import type { NewSession } from '../../../../src/auth/ports/sessions.ts'
import { logEntry } from '../../../support/builders/account.ts'
import { disabled, allEnded, passwordSet } from '../../../support/builders/ended-sessions.ts'
import { idsOf, storedSession, storedUser } from '../../../support/builders/stored-session.ts'
import { eventually } from '../../../support/service/environment.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'

const LOGOUT = logEntry('USER_LOGOUT')

describe('ending many sessions', () => {
  let store: PostgresStoreSubject

  beforeEach(async () => {
    store = await postgresStoreSubject()
  })
  afterEach(async () => {
    await store.close()
  })

  const sessionsOf = async (user: Account, count: number): Promise<NewSession[]> =>
    await Promise.all(Array.from({ length: count }, async () => await storedSession(store, user)))

  const rotate = async ({ id, expiresAt }: NewSession, generation = 0) =>
    await store.sessions.rotate({
      sessionId: id,
      generation,
      refreshJti: uuidv4(),
      rotatedAtMs: Date.now(),
      expiresAt: expiresAt + 60,
      maxAgeSeconds: 86_400,
    })

  const ENDS: Record<string, (user: Account, session: NewSession) => Promise<unknown>> = {
    'a logout of all devices': async (_, session) => await store.sessions.endAll(session, LOGOUT),
    'a disabling': async ({ username }) => await disabled(store, username),
  }

  for (const [name, end] of Object.entries(ENDS)) {
    it(`holds none of them while ${name} waits for the one with the lowest id`, async () => {
      const user = await storedUser(store)
      const sessions = await sessionsOf(user, 10)
      const [first, ...others] = sessions.toSorted((one, other) => (one.id < other.id ? -1 : 1))
      if (!first) throw new Error('no session')
      // Its row lies behind the others from now on.
      await rotate(first)
      const rival = new Client({ connectionString: store.database.url })
      await rival.connect()
      await rival.query('BEGIN')
      await rival.query('SELECT 1 FROM user_sessions WHERE id = $1 FOR UPDATE', [first.id])

      // Whatever becomes of it on a machine that is slow to free the row.
      const ended = end(user, first).catch(() => undefined)
      await eventually(isWaiting)
      const { rowCount } = await rival.query(
        'SELECT 1 FROM user_sessions WHERE id = ANY ($1::uuid[]) FOR UPDATE SKIP LOCKED',
        [others.map(({ id }) => id)],
      )
      await rival.query('COMMIT')
      await rival.end()
      await ended

      expect(rowCount).to.equal(others.length)
    })
  }

  it('never fails, and ends each session once, however many end and rotate the same ones at once', async () => {
    for (let round = 0; round < 15; round++) {
      const user = await storedUser(store)
      const sessions = await sessionsOf(user, 40)
      const [one, other] = sessions
      if (!one || !other) throw new Error('no sessions')

      const rotations = sessions.map(async (session) => await rotate(session))
      const ends = await Promise.all([
        allEnded(store, one),
        allEnded(store, other),
        passwordSet(store, { username: user.username, passwordHash: 'changed' }),
      ])
      await Promise.all(rotations)

      const denied = ends.flatMap((denials) => idsOf(denials) ?? [])
      expect(denied).to.have.members(sessions.map(({ id }) => id))
    }
    expect(store.log.lines).to.deep.equal([])
  })

  async function isWaiting(): Promise<boolean> {
    const rows = await store.database.sql(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    return rows.length > 0
  }
})
