// One address that opens connection after connection: what it may have, and that the others are served meanwhile.
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { expect } from 'chai'
import { eventually, untilReady } from '../support/service/environment.ts'
import { testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { rawConnection, type RawConnection } from '../support/clients/raw-connection.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { seenFromElsewhere } from '../support/clients/seen-from.ts'
import { startSignoff, type Signoff } from '../support/service/signoff.ts'

const MAX = 5
const HEALTH = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'

describe('the connections of one address', () => {
  let database: TestDatabase
  let redis: TestRedis
  let signoff: Signoff
  let connections: { destroy(): void }[]

  before(async () => {
    ;[database, redis] = await Promise.all([testDatabase(), testRedis()])
    signoff = await startSignoff({
      databaseUrl: database.url,
      redisUrl: redis.url,
      env: { MAX_CONNECTIONS_PER_ADDRESS: String(MAX), TRUST_PROXY: '192.0.2.50' },
      preload: seenFromElsewhere,
    })
    await untilReady(signoff)
  })
  after(async () => {
    await signoff.stop()
    await Promise.all([database.drop(), redis.remove()])
  })
  beforeEach(() => {
    connections = []
  })
  afterEach(() => {
    for (const connection of connections) connection.destroy()
  })

  /** Over TLS. Rejects where there is no handshake. */
  const open = async (from: string): Promise<RawConnection> => {
    const connection = await rawConnection(signoff, from)
    connections.push(connection)
    return connection
  }
  const openMany = async (count: number, from: string): Promise<RawConnection[]> => {
    const opened: RawConnection[] = []
    for (let number = 0; number < count; number += 1) opened.push(await open(from))
    return opened
  }
  const isRefused = async (from: string): Promise<boolean> =>
    await open(from).then(
      () => false,
      () => true,
    )
  /** Without TLS. */
  const openPlain = async (from: string): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(signoff.url).port), localAddress: from })
    socket.on('error', () => undefined)
    connections.push(socket)
    await once(socket, 'connect')
    return socket
  }
  const refused = async (): Promise<number> => {
    const metrics = await (await fetch(`${signoff.adminUrl}/metrics`)).text()
    return Number(/signoff_connections_refused_total\{limit="address"\} (\d+)/.exec(metrics)?.[1])
  }

  it('end with the newest where there are too many; the others, and everybody else, are served', async () => {
    const before = await refused()
    const opened = await openMany(MAX, '127.0.0.7')

    const beyond = [await isRefused('127.0.0.7'), await isRefused('127.0.0.7'), await isRefused('127.0.0.8')]
    for (const connection of opened) connection.write(HEALTH)
    const answers = await Promise.all(opened.map(async (connection) => await connection.answer()))

    expect(beyond).to.deep.equal([true, true, false])
    for (const answer of answers) expect(answer).to.include({ status: 200 })
    expect(await refused()).to.equal(before + 2)
    const told = signoff.log.filter(({ limit }) => limit === 'address')
    expect(told.map(({ address, max }) => [address, max])).to.deep.equal([['192.0.2.7', MAX]])
  })

  it('have room again as soon as one has closed', async () => {
    const [first] = await openMany(MAX, '127.0.0.9')
    expect(await isRefused('127.0.0.9')).to.equal(true)

    first?.destroy()

    await eventually(async () => !(await isRefused('127.0.0.9')))
    expect(await isRefused('127.0.0.9')).to.equal(true)
  })

  it('count before their handshake', async () => {
    for (let number = 0; number < MAX; number += 1) await openPlain('127.0.0.10')

    await eventually(async () => await isRefused('127.0.0.10'))
  })

  it('leave nothing behind, however they end', async () => {
    const ends: (() => Promise<void>)[] = [
      async () => {
        ;(await openPlain('127.0.0.11')).end()
      },
      async () => {
        ;(await openPlain('127.0.0.11')).resetAndDestroy()
      },
      // No handshake at all, so that the service ends it.
      async () => {
        const socket = await openPlain('127.0.0.11')
        socket.resume().end('GET / HTTP/1.1\r\n\r\n')
        await once(socket, 'close')
      },
      async () => {
        const connection = await open('127.0.0.11')
        connection.write('POST /auth/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n')
        connection.destroy()
      },
      async () => {
        const connection = await open('127.0.0.11')
        connection.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        expect(await connection.answer()).to.include({ status: 200 })
      },
      async () => {
        const connection = await open('127.0.0.11')
        connection.write('this is no HTTP\r\n\r\n')
        await eventually(async () => await connection.ends(1))
      },
    ]
    for (const end of ends) {
      for (let number = 0; number < MAX; number += 1) await eventually(async () => await ended(end))
    }

    await eventually(async () => {
      for (const connection of connections.splice(0)) connection.destroy()
      return (await Promise.allSettled([openMany(MAX, '127.0.0.11')]))[0].status === 'fulfilled'
    })
    expect(await isRefused('127.0.0.11')).to.equal(true)
  })

  it('have no limit where they come from a trusted proxy, or from this machine', async () => {
    const opened = await openMany(MAX * 4, '127.0.0.50')
    opened.push(...(await openMany(MAX * 4, '127.0.0.1')))

    for (const connection of opened) connection.write(HEALTH)
    const answers = await Promise.all(opened.map(async (connection) => await connection.answer()))

    for (const answer of answers) expect(answer).to.include({ status: 200 })
  })

  /** Whether it came so far: the place of the one before may not be free yet. */
  async function ended(end: () => Promise<void>): Promise<boolean> {
    return await end().then(
      () => true,
      () => false,
    )
  }
})
