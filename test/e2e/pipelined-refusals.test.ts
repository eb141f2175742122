// Requests that are written behind each other without waiting: a refusal costs none before it its answer.
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import Koa from 'koa'
import { developmentCertificate } from '../../src/embedded/certificate.ts'
import { answerDeadline } from '../../src/http/server/answer-deadline.ts'
import { settleConnection } from '../../src/http/server/settle-connection.ts'
import {
  eventually,
  PASSWORD,
  testEnvironment,
  type TestEnvironment,
} from '../support/service/environment.ts'
import { rawConnection, type RawConnection } from '../support/clients/raw-connection.ts'

/** Far beyond what an answer takes that is ready. */
const ENDED_MS = 30_000

const request = (path: string, body = ''): string =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
/** Longer than what is read off to keep a connection. */
const TOO_LONG = request('/auth/login/', 'x'.repeat(2_000_000))

describe('settleConnection, with requests behind each other', () => {
  let directory: string
  let server: Server
  let connection: RawConnection
  /** The paths of all requests that were read. */
  let read: string[]
  /** The paths of those that were acted on. */
  let begun: string[]
  let answerHeld: (body: string) => void

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signoff-pipelined-'))
  })
  after(async () => {
    await rm(directory, { recursive: true, force: true })
  })
  beforeEach(async () => {
    ;[read, begun] = [[], []]
    const held = new Promise<string>((resolve) => (answerHeld = resolve))
    const app = new Koa()
    app.use(answerDeadline(ENDED_MS * 2))
    app.use(settleConnection())
    app.use(async (ctx) => {
      begun.push(ctx.path)
      if (ctx.path === '/held') ctx.body = await held
      else if (ctx.path === '/auth/login/') ctx.status = 413
      else ctx.body = ctx.path
    })
    const { certFile, keyFile } = await developmentCertificate(directory)
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)])
    const callback = app.callback()
    server = createServer({ cert, key }, (incoming, response) => {
      read.push(incoming.url ?? '')
      void callback(incoming, response)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `https://localhost:${(server.address() as AddressInfo).port}`
    connection = await rawConnection({ url, files: { certFile } })
  })
  afterEach(async () => {
    connection.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  const answers = async (count: number): Promise<unknown[]> => {
    const found = []
    for (let number = 0; number < count; number += 1) {
      const answer = await connection.answer()
      found.push(answer === 'closed' ? answer : [answer.status, answer.text])
    }
    return found
  }

  it('sends what was asked before a refusal, the refusal, and then ends; what comes behind it is not acted on', async () => {
    connection.write(request('/one') + request('/held') + request('/two') + TOO_LONG + request('/three'))
    await eventually(() => read.includes('/three'))
    answerHeld('x'.repeat(300_000))

    expect(await answers(5)).to.deep.equal([
      [200, '/one'],
      [200, 'x'.repeat(300_000)],
      [200, '/two'],
      [413, 'Payload Too Large'],
      'closed',
    ])
    expect(begun).to.deep.equal(['/one', '/held', '/two', '/auth/login/'])
  })

  it('does the same where many come behind it, and reads but some of them', async () => {
    connection.write(request('/held') + TOO_LONG)
    const many = request('/behind').repeat(50_000)
    connection.write(many)
    await eventually(() => read.includes('/behind'))
    answerHeld('held')

    expect(await answers(3)).to.deep.equal([[200, 'held'], [413, 'Payload Too Large'], 'closed'])
    expect(begun).to.deep.equal(['/held', '/auth/login/'])
    expect(read.length).to.be.below(5000)
  })

  it('sends the answer before a refusal whose body does not come', async () => {
    connection.write(request('/held') + TOO_LONG.slice(0, 1000))
    await eventually(() => read.includes('/auth/login/'))
    answerHeld('held')

    expect(await answers(3)).to.deep.equal([[200, 'held'], [413, 'Payload Too Large'], 'closed'])
  })

  it('goes on where the refused body is read off', async () => {
    connection.write(request('/held') + request('/auth/login/', 'x'.repeat(100_000)) + request('/two'))
    await eventually(() => read.includes('/two'))
    answerHeld('held')

    expect(await answers(3)).to.deep.equal([
      [200, 'held'],
      [413, 'Payload Too Large'],
      [200, '/two'],
    ])
    connection.write(request('/three'))
    expect(await answers(1)).to.deep.equal([[200, '/three']])
  })
})

describe('answerDeadline, with requests behind each other', () => {
  it('begins when it is the turn of the answer', async () => {
    const readMs = 50
    let answerHeld: (body: string) => void = () => undefined
    const held = new Promise<string>((resolve) => (answerHeld = resolve))
    const directory = await mkdtemp(join(tmpdir(), 'signoff-pipelined-'))
    const { certFile, keyFile } = await developmentCertificate(directory)
    const app = new Koa()
    app.use(answerDeadline(readMs))
    app.use(async (ctx) => {
      ctx.body = ctx.path === '/held' ? await held : ctx.path
    })
    const callback = app.callback()
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)])
    const server = createServer({ cert, key }, (...parts) => void callback(...parts)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `https://localhost:${(server.address() as AddressInfo).port}`
    const connection = await rawConnection({ url, files: { certFile } })

    connection.write(request('/held') + request('/behind'))
    // Longer than the deadline of the second, which is ready and waits: only time can show that nothing happens.
    expect(await connection.ends(readMs * 6)).to.equal(false)
    answerHeld('held')

    expect(await connection.answer()).to.include({ text: 'held' })
    expect(await connection.answer()).to.include({ text: '/behind' })
    connection.destroy()
    server.close()
    await rm(directory, { recursive: true, force: true })
  })
})

describe('requests behind each other', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment()
  })
  after(async () => {
    await env.stop()
  })

  it('are answered in order up to a refusal that ends the connection', async () => {
    const connection = await rawConnection(env.signoff)
    const login = JSON.stringify({ username: 'alice', password: PASSWORD })

    connection.write(request('/auth/login/', login) + TOO_LONG + request('/auth/login/', login))
    const [first, second, third] = [
      await connection.answer(),
      await connection.answer(),
      await connection.answer(),
    ]

    expect(first).to.include({ status: 200 })
    expect(second).to.include({ status: 413 })
    expect(third).to.equal('closed')
  })
})
