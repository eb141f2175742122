// How many connections may be open: whose are counted together, whose are not counted, and what is told of it.
import { createServer, Socket, type Server } from 'node:net'
import { expect } from 'chai'
import { limitConnections } from '../../../../src/http/server/limit-connections.ts'
import { manualClock, type ManualClock } from '../../../support/fakes/manual-clock.ts'
import { recordingLog, type RecordingLog } from '../../../support/fakes/recording-log.ts'

const MAX = 3

describe('limitConnections', () => {
  let server: Server
  let clock: ManualClock
  let log: RecordingLog
  let accepted: Socket[]
  let refusals: string[]

  beforeEach(() => {
    server = createServer((socket) => {
      accepted.push(socket)
    })
    ;[clock, log, accepted, refusals] = [manualClock(), recordingLog(), [], []]
    limitConnections(server, {
      maxPerAddress: MAX,
      trustProxy: ['10.0.0.0/8', '2001:db8:ffff::/48'],
      metrics: { connectionRefused: (limit) => refusals.push(limit) },
      log,
      clock: { epochMs: clock.nowMs, steadyMs: clock.nowMs, after: () => () => undefined },
    })
  })

  /** One that has been accepted by the system. */
  const connect = (remoteAddress: string | undefined): Socket => {
    const socket = new Socket()
    Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress })
    server.emit('connection', socket)
    return socket
  }
  /** How many of so many are let in. */
  const admitted = (addresses: (string | undefined)[]): number => {
    const before = accepted.length
    addresses.forEach(connect)
    return accepted.length - before
  }
  const times = (count: number, address: string): string[] => Array.from({ length: count }, () => address)
  const closed = async (socket: Socket): Promise<void> => {
    await new Promise((resolve) => socket.once('close', resolve).destroy())
  }

  it('closes the one beyond the limit, and leaves the others alone', () => {
    const sockets = times(MAX + 1, '192.0.2.1').map(connect)

    expect(sockets.map(({ destroyed }) => destroyed)).to.deep.equal([false, false, false, true])
    expect(accepted).to.deep.equal(sockets.slice(0, MAX))
    expect(refusals).to.deep.equal(['address'])
  })

  it('counts each address for itself, in whichever spelling', () => {
    expect(admitted(['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201', '192.0.2.1'])).to.equal(MAX)
    expect(admitted(['192.0.2.2'])).to.equal(1)
  })

  it('lets the next one in when one has closed', async () => {
    const [first] = times(MAX, '192.0.2.1').map(connect)
    await closed(first as Socket)

    expect(admitted(times(2, '192.0.2.1'))).to.equal(1)
  })

  it('gives nothing back for one that it has closed', async () => {
    times(MAX, '192.0.2.1').forEach(connect)
    await closed(connect('192.0.2.1'))

    expect(admitted(['192.0.2.1'])).to.equal(0)
  })

  it('counts an IPv6 /64 as one address, and lets four of them in of a /48', () => {
    const network = (number: number) =>
      Array.from({ length: MAX + 1 }, (_, host) => `2001:db8:7:${number}::${host}`)

    expect([1, 2, 3, 4, 5].map((number) => admitted(network(number)))).to.deep.equal([MAX, MAX, MAX, MAX, 0])
    expect(admitted(['2001:db8:8:1::1'])).to.equal(1)
  })

  it('counts nothing of trusted proxies, nor of this machine', () => {
    for (const address of [
      '10.0.0.7',
      '::ffff:10.0.0.7',
      '2001:db8:ffff::1',
      '127.0.0.1',
      '127.9.9.9',
      '::1',
    ]) {
      expect(admitted(times(MAX * 5, address)), address).to.equal(MAX * 5)
    }
    expect(refusals).to.deep.equal([])
  })

  it('closes one that has no address any more, and tells nobody', () => {
    expect(connect(undefined).destroyed).to.equal(true)
    expect([accepted, refusals, log.lines]).to.deep.equal([[], [], []])
  })

  it('tells once a minute, with the address', () => {
    times(MAX + 5, '192.0.2.1').forEach(connect)
    clock.advance(59)
    times(MAX + 5, '192.0.2.2').forEach(connect)
    const before = log.lines.length
    clock.advance(1)
    connect('192.0.2.2')

    expect(before).to.equal(1)
    expect(log.lines.map(({ level, fields }) => ({ level, fields }))).to.deep.equal([
      { level: 'warn', fields: { address: '192.0.2.1', limit: 'address', max: MAX } },
      { level: 'warn', fields: { address: '192.0.2.2', limit: 'address', max: MAX } },
    ])
  })

  it('has a limit for all of them, and counts those that it drops', () => {
    server.emit('drop', { remoteAddress: '192.0.2.9' })

    expect(server.maxConnections).to.equal(20_000)
    expect(refusals).to.deep.equal(['total'])
    expect(log.lines[0]?.fields).to.deep.equal({ address: '192.0.2.9', limit: 'total', max: 20_000 })
  })
})
