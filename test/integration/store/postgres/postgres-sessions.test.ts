// What the steps in a session's life leave behind in Postgres.
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { Client } from 'pg'
import { v4 as uuidv4 } from 'uuid'
import type { NewSession, Rotation } from '../../../../src/auth/ports/sessions.ts'
import { account, logEntry, CALLER } from '../../../support/builders/account.ts'
import { newSession } from '../../../support/builders/new-session.ts'
import { eventually } from '../../../support/service/environment.ts'
import { ending } from '../../../support/builders/stored-session.ts'
import {
  postgresPorts,
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'

describe('postgresSessions', () => {
  let store: PostgresStoreSubject

  before(async () => {
    store = await postgresStoreSubject()
  })
  after(async () => {
    await store.close()
  })

  const begin = async () => {
    const user = account()
    await store.userAdmin.add(user, logEntry('USER_ADDED'))
    const session = newSession(user, Math.floor(Date.now() / 1000) + 600, { refreshJti: uuidv4() })
    expect(await store.sessions.begin(session, logEntry('USER_LOGIN'))).to.deep.equal([])
    return session
  }

  it('keeps a hash of the refresh token id, and the id itself nowhere', async () => {
    const { id, refreshJti } = await begin()

    const [row] = await store.database.sql<{ hash: Buffer; text: string }>(
      `SELECT refresh_jti_hash AS hash, row_to_json(s)::text || (SELECT json_agg(l)::text FROM logs l) AS text
       FROM user_sessions s WHERE id = $1`,
      [id],
    )

    expect(row?.hash.equals(createHash('sha256').update(refreshJti).digest())).to.equal(true)
    expect(row?.text).not.to.include(refreshJti)
  })

  it('keeps until when the session lives, and where it came from', async () => {
    const { id, account: user, expiresAt } = await begin()

    const [row] = await store.database.sql(
      `SELECT user_id, extract(epoch FROM expires_at)::int AS expires_at, host(ip_address::inet) AS ip_address,
              user_agent, ended_at, end_reason
       FROM user_sessions WHERE id = $1`,
      [id],
    )

    expect(row).to.deep.equal({
      user_id: user.id,
      expires_at: expiresAt,
      ip_address: CALLER.ipAddress,
      user_agent: CALLER.userAgent,
      ended_at: null,
      end_reason: null,
    })
  })

  it('writes the end, one row of the journal and one entry in a single commit', async () => {
    const session = await begin()
    const { id, account: user, expiresAt } = session

    const denial = await store.sessions.end(ending(session), logEntry('USER_LOGOUT'))

    const rows = await store.database.sql<Record<string, unknown>>(
      `SELECT s.end_reason, r.denied_id, r.partition, r.reason, l.user_id,
              extract(epoch FROM r.expires_at)::int AS denied_until,
              s.xmin = r.xmin AND r.xmin = l.xmin AS one_commit,
              s.ended_at = r.created_at AS one_time
       FROM user_sessions s
       JOIN revocations r ON r.denied_id = s.id::text
       JOIN logs l ON l.session_id = s.id AND l.event_type = 'USER_LOGOUT'
       WHERE s.id = $1`,
      [id],
    )
    expect(rows).to.deep.equal([
      {
        end_reason: 'logout',
        denied_id: id,
        partition: id.slice(-2),
        reason: 'logout',
        user_id: user.id,
        denied_until: expiresAt + store.leewaySeconds,
        one_commit: true,
        one_time: true,
      },
    ])
    expect(denial?.ttlMs).to.be.closeTo(605_000, 1500)
  })

  it('writes one row of the journal when twenty callers race', async () => {
    const session = await begin()

    await Promise.all(
      Array.from({ length: 20 }, async () => {
        await store.sessions.end(ending(session), logEntry('USER_LOGOUT'))
      }),
    )

    expect(
      await store.database.sql('SELECT 1 FROM revocations WHERE denied_id = $1', [session.id]),
    ).to.have.length(1)
  })

  it('lets one caller win when two instances end the same session', async () => {
    const session = await begin()
    const other = postgresPorts(store.database.url)

    const ends = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const { sessions } = index % 2 === 0 ? store : other
        return await sessions.end(ending(session), logEntry('USER_LOGOUT'))
      }),
    )
    await other.close()

    expect(ends.filter((denial) => denial !== null)).to.have.length(1)
  })

  it('writes the denial of a session whose row is lost, with an entry, in a single commit', async () => {
    const session = await begin()
    await store.loseSession(session.id)

    const denial = await store.sessions.end(ending(session), logEntry('USER_LOGOUT'))

    const rows = await store.database.sql<Record<string, unknown>>(
      `SELECT r.denied_id, r.partition, l.user_id, extract(epoch FROM r.expires_at)::int AS denied_until,
              r.xmin = l.xmin AS one_commit
       FROM revocations r JOIN logs l ON l.session_id::text = r.denied_id AND l.event_type = 'USER_LOGOUT'
       WHERE r.denied_id = $1`,
      [session.id],
    )
    expect(denial?.id).to.equal(session.id)
    expect(rows).to.deep.equal([
      {
        denied_id: session.id,
        partition: session.id.slice(-2),
        user_id: session.account.id,
        denied_until: session.expiresAt + store.leewaySeconds,
        one_commit: true,
      },
    ])
  })

  describe('rotate', () => {
    const rotation = (session: NewSession, parts: Partial<Rotation> = {}): Rotation => ({
      sessionId: session.id,
      generation: 0,
      refreshJti: uuidv4(),
      rotatedAtMs: Date.now(),
      expiresAt: session.expiresAt,
      maxAgeSeconds: 86_400,
      ...parts,
    })

    it('keeps a hash of the next refresh token id in place of the last one, and no id anywhere', async () => {
      const session = await begin()
      const refreshJti = uuidv4()

      await store.sessions.rotate(rotation(session, { refreshJti }))

      const [row] = await store.database.sql<{ hash: Buffer; text: string }>(
        `SELECT refresh_jti_hash AS hash, row_to_json(s)::text AS text FROM user_sessions s WHERE id = $1`,
        [session.id],
      )
      expect(row?.hash.equals(createHash('sha256').update(refreshJti).digest())).to.equal(true)
      expect(row?.text).not.to.include(refreshJti)
    })

    it('keeps the time of the rotation to the millisecond, as every instance then reads it', async () => {
      const session = await begin()
      const other = postgresPorts(store.database.url)

      const readings = []
      for (const [generation, rotatedAtMs] of [1_800_000_000_001, 1_800_000_000_999].entries()) {
        const rotated = await store.sessions.rotate(rotation(session, { generation, rotatedAtMs }))
        const found = await other.sessions.find(session.id)
        readings.push([rotated?.session.rotatedAtMs, found?.rotatedAtMs])
      }
      await other.close()

      expect(readings).to.deep.equal([
        [1_800_000_000_001, 1_800_000_000_001],
        [1_800_000_000_999, 1_800_000_000_999],
      ])
    })

    it('writes the step and the retired token in a single commit, in the partition of the session', async () => {
      const session = await begin()
      const retired = { jti: session.refreshJti, expiresAt: session.expiresAt }

      await store.sessions.rotate(rotation(session, { retired }))

      const rows = await store.database.sql<Record<string, unknown>>(
        `SELECT r.denied_id, r.partition, r.reason, extract(epoch FROM r.expires_at)::int AS denied_until,
                s.xmin = r.xmin AS one_commit
         FROM user_sessions s JOIN revocations r ON r.denied_id LIKE s.id::text || ':%' WHERE s.id = $1`,
        [session.id],
      )
      expect(rows).to.deep.equal([
        {
          denied_id: `${session.id}:${session.refreshJti}`,
          partition: session.id.slice(-2),
          reason: 'rotated',
          denied_until: session.expiresAt + store.leewaySeconds,
          one_commit: true,
        },
      ])
    })

    it('makes one generation of fifty calls to two instances', async () => {
      const session = await begin()
      const other = postgresPorts(store.database.url)

      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const { sessions } = index % 2 === 0 ? store : other
          return await sessions.rotate(rotation(session))
        }),
      )
      await other.close()

      expect(answers.filter((rotated) => rotated !== null)).to.have.length(1)
      expect(await store.sessions.find(session.id)).to.include({ generation: 1 })
    })

    it('waits for an end that is under way, and then finds nothing to rotate', async () => {
      const session = await begin()
      const ender = new Client({ connectionString: store.database.url })
      await ender.connect()
      await ender.query('BEGIN')
      await ender.query(`UPDATE user_sessions SET ended_at = now(), end_reason = 'logout' WHERE id = $1`, [
        session.id,
      ])

      const rotated = store.sessions.rotate(rotation(session))
      await eventually(async () => await isWaiting(ender))
      await ender.query('COMMIT')
      await ender.end()

      expect(await rotated).to.equal(null)
    })
  })

  /** Whether a statement waits for the client's transaction. */
  async function isWaiting(client: Client): Promise<boolean> {
    const { rows } = await client.query(
      'SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))',
    )
    return rows.length > 0
  }
})
