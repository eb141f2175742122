// A Postgres that hangs, crashes or is gone: every port says so in time, and goes on when it is back.
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import type { EndingSession, Rotation } from '../../../../src/auth/ports/sessions.ts'
import type { EmbeddedServer } from '../../../../src/embedded/server.ts'
import { journalMender } from '../../../../src/store/postgres/journal-mender.ts'
import type { Statement } from '../../../../src/store/postgres/postgres.ts'
import { account, logEntry } from '../../../support/builders/account.ts'
import { newSession } from '../../../support/builders/new-session.ts'
import { ending } from '../../../support/builders/stored-session.ts'
import { eventually } from '../../../support/service/environment.ts'
import { postgresPorts, type PostgresPorts } from '../../../support/stores/postgres-store-subject.ts'
import { ownPostgres } from '../../../support/servers/postgres.ts'
import { descendantsOf, signalTree } from '../../../support/servers/process-tree.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

/** The timeout of the service, and what a busy machine may add. */
const BOUND_MS = 2500

/** As the service has it by default. */
const PATIENCE = { timeoutMs: 2000 }

/** In epoch seconds. */
const FAR_AWAY = 9_999_999_999

describe('a Postgres that fails', () => {
  let server: EmbeddedServer & { remove(): Promise<void> }
  let ports: PostgresPorts

  before(async () => {
    server = await ownPostgres()
  })
  after(async () => {
    await server.remove()
  })
  beforeEach(async () => {
    ports = postgresPorts(server.url, PATIENCE)
    await eventually(isAnswering)
    ports.log.lines.length = 0
  })
  afterEach(async () => {
    await ports.close()
  })

  const isAnswering = async () =>
    (await refusalOf(ports.journal.isDenied({ sid: uuidv7(), jti: uuidv4() }))) === 'resolved'

  /** Every method of every port. */
  const everyQuestion = (): Record<string, Promise<unknown>> => ({
    findByUsername: ports.users.findByUsername('alice'),
    findById: ports.users.findById(uuidv7()),
    begin: ports.sessions.begin(newSession(account(), Date.now() / 1000 + 60), logEntry('USER_LOGIN')),
    end: ports.sessions.end(anyEnding(), logEntry('USER_LOGOUT')),
    revoke: ports.sessions.revoke({ id: uuidv7(), userId: uuidv7() }, logEntry('SESSION_REVOKED')),
    endAll: ports.sessions.endAll({ id: uuidv7(), expiresAt: 0 }, logEntry('USER_LOGOUT')),
    rotate: ports.sessions.rotate(anyRotation()),
    find: ports.sessions.find(uuidv7()),
    present: ports.sessions.present({ sessionId: uuidv7(), generation: 1 }),
    replayLate: ports.sessions.replayLate(
      { sessionId: uuidv7(), generation: 0, pauseSeconds: 60 },
      logEntry('REFRESH_LATE_REPLAY'),
    ),
    endOthers: ports.sessions.endOthers(uuidv7(), logEntry('USER_LOGOUT')),
    endOfUser: ports.sessions.endOfUser({ userId: uuidv7(), reason: 'user_disabled' }),
    listSessions: ports.sessions.list({ userId: uuidv7(), before: null, limit: 10 }),
    denialOf: ports.journal.denialOf(uuidv7()),
    denialsOfUser: ports.journal.denialsOfUser({ userId: uuidv7(), after: null, limit: 10 }),
    isDenied: ports.journal.isDenied({ sid: uuidv7(), jti: uuidv4() }),
    deny: ports.journal.deny({ id: 'ab'.repeat(32), expiresAt: FAR_AWAY }, logEntry('USER_LOGOUT')),
    clock: ports.journal.clock(),
    readSince: readAll(ports),
    readBatch: ports.journal.readBatch(null, 10),
    mend: journalMender(ports.postgres).mend([{ id: uuidv7(), ttlMs: 60_000 }]),
    add: ports.userAdmin.add(account(), logEntry('USER_ADDED')),
    list: ports.userAdmin.list(),
    disable: ports.userAdmin.disable('alice', logEntry('USER_DISABLED')),
    enable: ports.userAdmin.enable('alice', logEntry('USER_ENABLED')),
    setClaims: ports.userAdmin.setClaims({ username: 'alice', claims: {} }, logEntry('CLAIMS_CHANGED')),
    setRole: ports.userAdmin.setRole({ username: 'alice', role: 'admin' }, logEntry('ROLE_CHANGED')),
    setPassword: ports.userAdmin.setPassword(
      { username: 'alice', passwordHash: 'new' },
      logEntry('PASSWORD_CHANGED'),
    ),
    changePassword: ports.ownAccount.changePassword(
      { account: account(), passwordHash: 'new' },
      logEntry('PASSWORD_CHANGED'),
    ),
    finishPasswordChange: ports.ownAccount.finishPasswordChange(uuidv7()),
    close: ports.ownAccount.close(account(), logEntry('USER_DELETED')),
    remove: ports.ownAccount.remove(uuidv7()),
    events: ports.ownAccount.events({ userId: uuidv7(), before: null, limit: 10 }),
  })

  /** Asks everything at once and expects `unavailable`, in time. */
  async function expectAllUnavailable(): Promise<void> {
    const start = performance.now()
    const questions = everyQuestion()

    const answers = await Promise.all(
      Object.entries(questions).map(async ([name, question]) => [name, await refusalOf(question)]),
    )

    const elapsedMs = performance.now() - start
    expect(Object.fromEntries(answers)).to.deep.equal(
      Object.fromEntries(Object.keys(questions).map((name) => [name, 'unavailable'])),
    )
    expect(elapsedMs).to.be.below(BOUND_MS)
  }

  const told = (level: string) =>
    ports.log.lines.filter((line) => line.level === level).map(({ message }) => message)

  describe('by hanging', () => {
    beforeEach(() => {
      signalTree(server.pid, 'SIGSTOP')
    })
    afterEach(() => {
      signalTree(server.pid, 'SIGCONT')
    })

    it('is unavailable to every port within the timeout, said once, and of use when it goes on', async () => {
      await expectAllUnavailable()
      await expectAllUnavailable()
      const complaints = told('error')

      signalTree(server.pid, 'SIGCONT')
      await eventually(isAnswering, 5000)

      expect(complaints).to.deep.equal([
        'Postgres does not answer: logins and logouts are told to try again (503)',
      ])
      expect(told('info')).to.deep.equal(['Postgres answers again'])
    })

    it('keeps two hundred callers waiting no longer than one', async () => {
      const start = performance.now()

      const answers = await Promise.all(
        Array.from(
          { length: 200 },
          async () => await refusalOf(ports.journal.isDenied({ sid: uuidv7(), jti: uuidv4() })),
        ),
      )

      expect(new Set(answers)).to.deep.equal(new Set(['unavailable']))
      expect(performance.now() - start).to.be.below(BOUND_MS)
    })

    it('tells callers beyond the queue at once', async () => {
      const ask = async () => {
        const answer = await refusalOf(ports.journal.isDenied({ sid: uuidv7(), jti: uuidv4() }))
        return { answer, at: performance.now() }
      }
      const waiting = Array.from({ length: 1020 }, ask)

      const { answer, at } = await ask()

      expect(answer).to.equal('unavailable')
      const queued = (await Promise.all(waiting)).slice(0, 1000)
      for (const waited of queued) expect(at).to.be.below(waited.at)
    })

    it('loses the entry that stands alone, and counts it', async () => {
      const start = performance.now()

      await ports.auditLog.write(logEntry('USER_LOGIN_FAILED'))

      expect(ports.entryFailures()).to.equal(1)
      expect(performance.now() - start).to.be.below(BOUND_MS)
    })

    it('is not asked a second time without the entry when it did not refuse the first', async () => {
      const start = performance.now()

      const answer = await refusalOf(ports.sessions.end(anyEnding(), logEntry('USER_LOGOUT')))

      expect(answer).to.equal('unavailable')
      expect(performance.now() - start).to.be.below(BOUND_MS)
      expect(ports.entryFailures()).to.equal(0)
    })
  })

  describe('by being slow', () => {
    it('is unavailable to whoever waited for a connection and an answer longer than the timeout', async () => {
      const slow = { name: 'test.slow', text: 'SELECT pg_sleep(1.4)' }
      const onEach = (statement: Statement) =>
        Array.from({ length: 20 }, async () => await refusalOf(ports.postgres.query(statement)))
      // Opening a connection is no part of it.
      await Promise.all(onEach({ name: 'test.warm', text: 'SELECT pg_sleep(0.2)' }))
      const busy = onEach(slow)
      const start = performance.now()

      const late = await refusalOf(ports.postgres.query(slow))
      const elapsedMs = performance.now() - start

      expect(late).to.equal('unavailable')
      expect(elapsedMs).to.be.below(BOUND_MS)
      expect(new Set(await Promise.all(busy))).to.deep.equal(new Set(['resolved']))
    })
  })

  describe('by crashing', () => {
    it('is of use again after its recovery, and remembers what was ended', async () => {
      const user = account()
      await ports.userAdmin.add(user, logEntry('USER_ADDED'))
      const session = newSession(user, Math.floor(Date.now() / 1000) + 60)
      await ports.sessions.begin(session, logEntry('USER_LOGIN'))
      const denial = await ports.sessions.end(ending(session), logEntry('USER_LOGOUT'))

      // One backend killed: Postgres drops every connection and recovers from its log.
      const backend = descendantsOf(server.pid).at(-1)
      process.kill(backend ?? 0, 'SIGKILL')
      await eventually(isAnswering, 20_000)

      expect(denial?.id).to.equal(session.id)
      expect(await ports.journal.isDenied({ sid: session.id, jti: uuidv4() })).to.equal(true)
    })
  })

  describe('by being gone', () => {
    let own: EmbeddedServer & { remove(): Promise<void> }

    before(async () => {
      own = await ownPostgres()
    })
    after(async () => {
      await own.remove()
    })

    it('is unavailable to every port, in time, also to a service that starts without it', async () => {
      await ports.close()
      ports = postgresPorts(own.url, PATIENCE)
      const answeredBefore = await isAnswering()
      await own.stop()

      await expectAllUnavailable()
      await ports.close()
      ports = postgresPorts(own.url, PATIENCE)
      await expectAllUnavailable()

      expect(answeredBefore).to.equal(true)
    })
  })
})

function anyEnding(): EndingSession {
  return ending(newSession(account(), FAR_AWAY))
}

function anyRotation(): Rotation {
  return {
    sessionId: uuidv7(),
    generation: 0,
    refreshJti: uuidv4(),
    rotatedAtMs: Date.now(),
    expiresAt: FAR_AWAY,
    maxAgeSeconds: 60,
    retired: { jti: uuidv4(), expiresAt: FAR_AWAY },
  }
}

async function readAll({ journal }: PostgresPorts): Promise<number> {
  let count = 0
  for await (const batch of journal.readSince(0)) count += batch.length
  return count
}
