// Only a primary is asked, only durable commits are acknowledged, and each reason of an outage is told.
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { AuthError } from '../../../../src/auth/errors.ts'
import type { Postgres } from '../../../../src/store/postgres/postgres.ts'
import { postgresUnfitness } from '../../../../src/store/postgres/postgres-unfitness.ts'
import { account, logEntry } from '../../../support/builders/account.ts'
import { eventually } from '../../../support/service/environment.ts'
import { postgresPorts, type PostgresPorts } from '../../../support/stores/postgres-store-subject.ts'
import {
  restartablePostgres,
  testDatabase,
  type RestartablePostgres,
} from '../../../support/servers/postgres.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'
import { tcpProxy, type TcpProxy } from '../../../support/servers/tcp-proxy.ts'

const STANDBY = 'Postgres is a standby (in recovery): DATABASE_URL must lead to the primary'
const READ_ONLY =
  'Postgres takes no writes (transaction_read_only is on): DATABASE_URL must lead to the primary'
const TOLD = 'logins and logouts are told to try again (503)'

/** Why something was `unavailable`. */
async function causeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => 'resolved',
    (error: unknown) => {
      if (!(error instanceof AuthError) || error.code !== 'unavailable') throw error
      return (error.cause as Error).message
    },
  )
}

const isDenied = async ({ journal }: PostgresPorts) =>
  await journal.isDenied({ sid: uuidv7(), jti: uuidv4() })

describe('postgres', () => {
  describe('as it commits', () => {
    const SHOW = { name: 'test.show', text: `SELECT current_setting('synchronous_commit') AS value` }
    const shown = async (by: Pick<Postgres, 'query'>) =>
      (await by.query<{ value: string }>(SHOW)).map(({ value }) => value)

    for (const [byDefault, inEffect] of [
      ['off', 'on'],
      ['local', 'on'],
      ['remote_write', 'on'],
      ['on', 'on'],
      ['remote_apply', 'remote_apply'],
    ] as const) {
      it(`has its commits ${inEffect} where the database says ${byDefault}`, async () => {
        const database = await testDatabase()
        const [row] = await database.sql<{ name: string }>('SELECT current_database() AS name')
        await database.sql(`ALTER DATABASE ${String(row?.name)} SET synchronous_commit = ${byDefault}`)
        const ports = postgresPorts(database.url)
        try {
          const alone = await shown(ports.postgres)
          const inTransaction = await ports.postgres.transaction(async (query) => await shown({ query }))

          expect([...alone, ...inTransaction]).to.deep.equal([inEffect, inEffect])
          expect((await ports.journal.clock()).unfit).to.equal(null)
        } finally {
          await ports.close()
          await database.drop()
        }
      })
    }
  })

  describe('on a database that takes no writes', () => {
    it('hands out no connection, says why, and goes on when it takes them', async () => {
      const database = await testDatabase()
      const [row] = await database.sql<{ name: string }>('SELECT current_database() AS name')
      const name = String(row?.name)
      await database.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
      const ports = postgresPorts(database.url)
      try {
        const cause = await causeOf(ports.users.findByUsername('alice'))
        await database.sql(
          `BEGIN READ WRITE; ALTER DATABASE ${name} RESET default_transaction_read_only; COMMIT`,
        )

        expect(cause).to.equal(READ_ONLY)
        expect(await isDenied(ports)).to.equal(false)
        expect(ports.log.lines.map(({ message }) => message)).to.deep.equal([
          `${READ_ONLY}: ${TOLD}`,
          'Postgres answers again',
        ])
      } finally {
        await ports.close()
        await database.drop()
      }
    })
  })

  describe('on a server that becomes another one', () => {
    let server: RestartablePostgres
    let proxy: TcpProxy
    let ports: PostgresPorts

    before(async () => {
      server = await restartablePostgres()
    })
    after(async () => {
      await server.remove()
    })
    beforeEach(async () => {
      const url = new URL(server.url())
      proxy = await tcpProxy(Number(url.port))
      url.port = String(proxy.port)
      ports = postgresPorts(url.href)
    })
    afterEach(async () => {
      await ports.close()
      await proxy.close()
    })

    const connections = async (): Promise<number> =>
      (await server.sql(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'signoff'`)).length
    /** The process that serves the connection which is used next: of several, the one that was used last. */
    const backend = async (): Promise<unknown> =>
      (await ports.postgres.query({ name: 'test.backend', text: 'SELECT pg_backend_pid() AS pid' }))[0]?.[
        'pid'
      ]
    const complaints = () =>
      ports.log.lines.filter(({ level }) => level !== 'debug').map(({ message }) => message)

    const FENCED: Record<string, (on: PostgresPorts) => Promise<unknown>> = {
      'a question for a denial': isDenied,
      'the journal': async ({ journal }) => await journal.readBatch(null, 10),
      'the clock': async ({ journal }) => await journal.clock(),
      'a token that is read': async ({ sessions }) =>
        await sessions.present({ sessionId: uuidv7(), generation: 1 }),
      'the row of a session': async ({ sessions }) => await sessions.find(uuidv7()),
      'a write': async ({ userAdmin }) => await userAdmin.add(account(), logEntry('USER_ADDED')),
      'a transaction': async ({ userAdmin }) => await userAdmin.enable('alice', logEntry('USER_ENABLED')),
    }
    for (const [question, ask] of Object.entries(FENCED)) {
      it(`ends the connection that ${question} finds fenced off`, async () => {
        const before = await backend()
        await server.sql('ALTER SYSTEM SET default_transaction_read_only = on')
        await server.sql('SELECT pg_reload_conf()')
        try {
          // The server takes a moment to tell its sessions.
          await eventually(async () => (await refusalOf(ask(ports))) === 'unavailable')

          expect(await causeOf(backend())).to.equal(READ_ONLY)
          expect(complaints()).to.deep.equal([`${READ_ONLY}: ${TOLD}`])
        } finally {
          await server.sql('ALTER SYSTEM RESET default_transaction_read_only')
          await server.sql('SELECT pg_reload_conf()')
        }
        await eventually(async () => (await refusalOf(backend())) === 'resolved')
        expect(await backend()).not.to.equal(before)
      })
    }

    it('tells of each reason once, of a standby what it is, and goes on when that is promoted', async () => {
      const before = await ports.journal.clock()
      proxy.cut()
      for (let times = 0; times < 2; times++) expect(await refusalOf(isDenied(ports))).to.equal('unavailable')
      await server.restartAsStandby()
      proxy.target(Number(new URL(server.url()).port))
      proxy.pass()
      const causes = [await causeOf(isDenied(ports)), await causeOf(ports.journal.clock())]
      const unfitness = await causeOf(postgresUnfitness(server.url()))
      const keptToStandby = await connections()
      await server.sql('SELECT pg_promote()')
      await eventually(async () => (await refusalOf(isDenied(ports))) === 'resolved')
      const after = await ports.journal.clock()

      expect([...causes, unfitness]).to.deep.equal([STANDBY, STANDBY, STANDBY])
      expect(keptToStandby).to.equal(0)
      expect(complaints()).to.deep.equal([
        `Postgres does not answer: ${TOLD}`,
        `${STANDBY}: ${TOLD}`,
        'Postgres answers again',
      ])
      expect(after.databaseId).to.equal(before.databaseId)
      expect(after.serverEpoch).not.to.equal(before.serverEpoch)
    })
  })

  it('is unavailable, and no more than that, where a connection is lost while it is checked', async () => {
    const sockets: Socket[] = []
    const server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => undefined)
      // To the first message: welcome, and ready for a question. To the question: the end.
      socket.once('data', () => {
        socket.write(Buffer.from('520000000800000000' + '5a0000000549', 'hex'))
        socket.once('data', () => socket.resetAndDestroy())
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const ports = postgresPorts(`postgres://x:x@127.0.0.1:${(server.address() as AddressInfo).port}/x`)
    try {
      expect(await refusalOf(isDenied(ports))).to.equal('unavailable')
      expect(sockets).to.have.length(1)
    } finally {
      await ports.close()
      server.close()
    }
  })
})
