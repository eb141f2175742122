// Log entries that cannot be written, in all the ways a database has to refuse them.
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { v4 as uuidv4 } from 'uuid'
import type { NewSession } from '../../../../src/auth/ports/sessions.ts'
import { account, logEntry } from '../../../support/builders/account.ts'
import { newSession } from '../../../support/builders/new-session.ts'
import { ending } from '../../../support/builders/stored-session.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'

const RAISE = `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE EXCEPTION 'no entries today'; END $$;`

const WAYS = [
  {
    way: 'the table is gone',
    break: 'ALTER TABLE logs RENAME TO logs_away',
    repair: 'ALTER TABLE logs_away RENAME TO logs',
  },
  {
    way: 'a trigger raises',
    break: `${RAISE} CREATE TRIGGER refuse BEFORE INSERT ON logs EXECUTE FUNCTION refuse()`,
    repair: 'DROP FUNCTION refuse CASCADE',
  },
  {
    way: 'a trigger raises at commit',
    break: `${RAISE} CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON logs
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`,
    repair: 'DROP FUNCTION refuse CASCADE',
  },
  {
    way: 'a CHECK fails',
    break: 'ALTER TABLE logs ADD CONSTRAINT refuse CHECK (false) NOT VALID',
    repair: 'ALTER TABLE logs DROP CONSTRAINT refuse',
  },
  {
    way: 'a column is asked for that nobody fills',
    break: 'ALTER TABLE logs ADD COLUMN refuse text NOT NULL',
    repair: 'ALTER TABLE logs DROP COLUMN refuse',
  },
  {
    way: 'a column has another type',
    break: 'ALTER TABLE logs DROP COLUMN event_type; ALTER TABLE logs ADD COLUMN event_type int',
    repair: 'ALTER TABLE logs ALTER event_type TYPE text',
  },
]

describe('a log entry that cannot be written', () => {
  let store: PostgresStoreSubject

  before(async () => {
    store = await postgresStoreSubject()
  })
  after(async () => {
    await store.close()
  })

  for (const { way, break: breakLogs, repair } of WAYS) {
    describe(`since ${way}`, () => {
      let session: NewSession
      let failuresBefore: number

      before(async () => {
        const user = account()
        await store.userAdmin.add(user, logEntry('USER_ADDED'))
        session = newSession(user, Math.floor(Date.now() / 1000) + 600)
        // Every statement is prepared on its connection before things break, as in a service that runs.
        const warm = newSession(user, Math.floor(Date.now() / 1000) + 600)
        await store.sessions.begin(warm, logEntry('USER_LOGIN'))
        await store.sessions.end(ending(warm), logEntry('USER_LOGOUT'))
        await store.database.sql('TRUNCATE logs')
        await store.database.sql(breakLogs)
      })
      beforeEach(() => {
        failuresBefore = store.entryFailures()
        store.log.lines.length = 0
      })
      const expectOneLoss = (eventType: string) => {
        const told = store.log.lines.filter(({ message }) => message === 'a log entry could not be written')
        expect(store.entryFailures() - failuresBefore).to.equal(1)
        expect(told.map(({ level, fields }) => ({ level, eventType: fields['eventType'] }))).to.deep.equal([
          { level: 'error', eventType },
        ])
        expect(told[0]?.fields['err']).to.be.an('error')
      }

      it('lets the session begin, and tells of the loss', async () => {
        const hasBegun = await store.sessions.begin(session, logEntry('USER_LOGIN'))

        expect(hasBegun).to.deep.equal([])
        expect(await sessionRow(session.id)).to.deep.equal({ ended: false, denials: 0 })
        expectOneLoss('USER_LOGIN')
      })

      it('lets the session end for good, and tells of the loss', async () => {
        const denial = await store.sessions.end(ending(session), logEntry('USER_LOGOUT'))

        expect(denial?.id).to.equal(session.id)
        expect(denial?.ttlMs).to.be.closeTo(605_000, 60_000)
        expect(await sessionRow(session.id)).to.deep.equal({ ended: true, denials: 1 })
        expect(await store.journal.isDenied({ sid: session.id, jti: uuidv4() })).to.equal(true)
        expectOneLoss('USER_LOGOUT')
      })

      it('still ends the session only once', async () => {
        expect(await store.sessions.end(ending(session), logEntry('USER_LOGOUT'))).to.equal(null)
        expect(await sessionRow(session.id)).to.deep.equal({ ended: true, denials: 1 })
      })

      it('lets a foreign token be denied for good, and tells of the loss', async () => {
        const token = { id: createHash('sha256').update(way).digest('hex'), expiresAt: session.expiresAt }

        const denial = await store.journal.deny(token, logEntry('USER_LOGOUT'))
        const again = await store.journal.deny(token, logEntry('USER_LOGOUT'))

        expect(denial?.id).to.equal(token.id)
        expect(again).to.equal(null)
        expect(await denialsOf(token.id)).to.equal(1)
        expect(store.entryFailures() - failuresBefore).to.be.at.least(1)
      })

      it('is told of where it stands alone, too', async () => {
        await store.auditLog.write(logEntry('USER_LOGIN_FAILED'))

        expectOneLoss('USER_LOGIN_FAILED')
      })

      it('is written again once that is repaired', async () => {
        await store.database.sql(repair)
        const again = newSession(session.account, Math.floor(Date.now() / 1000) + 600)

        await store.sessions.begin(again, logEntry('USER_LOGIN'))
        const entries = await store.entries()

        expect(store.entryFailures() - failuresBefore).to.equal(0)
        expect(entries.map(({ sessionId }) => sessionId)).to.include(again.id)
      })
    })
  }

  async function denialsOf(id: string): Promise<number> {
    return (await store.database.sql('SELECT 1 FROM revocations WHERE denied_id = $1', [id])).length
  }

  async function sessionRow(id: string): Promise<object | undefined> {
    const [row] = await store.database.sql<object>(
      `SELECT ended_at IS NOT NULL AS ended,
              (SELECT count(*)::int FROM revocations WHERE denied_id = $1::text) AS denials
       FROM user_sessions WHERE id = $1::uuid`,
      [id],
    )
    return row
  }
})
