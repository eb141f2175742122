// What a beginning and an end of a session leave behind in Postgres.
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { v4 as uuidv4 } from 'uuid'
import { account, logEntry, ORIGIN } from '../../support/builders/account.ts'
import { newSession } from '../../support/builders/new-session.ts'
import {
  postgresPorts,
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../support/postgres-store-subject.ts'

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
    expect(await store.sessions.begin(session, logEntry('USER_LOGIN'))).to.equal(true)
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
      ip_address: ORIGIN.ipAddress,
      user_agent: ORIGIN.userAgent,
      ended_at: null,
      end_reason: null,
    })
  })

  it('writes the end, one row of the journal and one entry in a single commit', async () => {
    const { id, account: user, expiresAt } = await begin()

    const denial = await store.sessions.end(id, 'logout', logEntry('USER_LOGOUT'))

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
    const { id } = await begin()

    await Promise.all(
      Array.from({ length: 20 }, async () => await store.sessions.end(id, 'logout', logEntry('USER_LOGOUT'))),
    )

    expect(await store.database.sql('SELECT 1 FROM revocations WHERE denied_id = $1', [id])).to.have.length(1)
  })

  it('lets one caller win when two instances end the same session', async () => {
    const { id } = await begin()
    const other = postgresPorts(store.database.url)

    const ends = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const { sessions } = index % 2 === 0 ? store : other
        return await sessions.end(id, 'logout', logEntry('USER_LOGOUT'))
      }),
    )
    await other.close()

    expect(ends.filter((denial) => denial !== null)).to.have.length(1)
  })
})
