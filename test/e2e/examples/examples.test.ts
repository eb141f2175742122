// Each example, run as its README says: welcomes who is logged in, and nobody from the logout on.
import { once } from 'node:events'
import { connect } from 'node:net'
import path from 'node:path'
import { expect } from 'chai'
import { WebSocket } from 'ws'
import { freePort } from '../../../src/embedded/process/free-port.ts'
import { FETCH_TIMEOUT_MS } from '../../support/servers/debian-packages.ts'
import { claimsOf, eventually } from '../../support/service/environment.ts'
import { python } from '../../support/servers/python.ts'
import { testRedis } from '../../support/servers/redis.ts'
import { caddy, nginx } from '../gateways/gateway.ts'
import { run, runExample, startedSignoff, type RunningProgram, type StartedSignoff } from './running.ts'

describe('the examples', () => {
  let signoff: StartedSignoff
  /** With everything on the PATH that they need. */
  let environment: Record<string, string>
  const running: RunningProgram[] = []

  before(async function () {
    this.timeout(FETCH_TIMEOUT_MS)
    signoff = await startedSignoff()
    environment = await environmentOf(signoff)
  })
  after(async () => {
    await signoff.stop()
  })
  afterEach(async () => {
    for (const program of running.splice(0)) await program.stop()
  })

  for (const name of ['koa', 'express', 'fastify', 'python-redis', 'nginx', 'caddy']) {
    it(`${name} welcomes a live access token, and no other from the logout on`, async () => {
      const url = await start(name)
      const pair = await signoff.login()

      const stranger = await ask(url)
      const refreshing = await ask(url, pair.refresh)
      const before = await ask(url, pair.access)
      await signoff.logout(pair)

      await eventually(async () => (await ask(url, pair.access)).status === 401)
      expect(stranger.status).to.equal(401)
      expect(stranger.challenge).to.equal('Bearer')
      expect(refreshing.status).to.equal(401)
      expect(before.status).to.equal(200)
      expect((before.body as { user: string }).user).to.equal(claimsOf(pair.access)['sub'])
      const after = await ask(url, pair.access)
      expect(after.challenge).to.equal('Bearer error="invalid_token"')
    })
  }

  it('websocket hangs up at the logout, and lets nobody in without a live token', async () => {
    const url = (await start('websocket')).replace('http', 'ws')
    const pair = await signoff.login()
    const byHeader = new WebSocket(url, { headers: { Authorization: `Bearer ${pair.access}` } })
    const byProtocol = new WebSocket(url, ['echo', `bearer.${pair.access}`])
    await Promise.all([once(byHeader, 'open'), once(byProtocol, 'open')])
    byProtocol.send('hello')
    const [echo] = (await once(byProtocol, 'message')) as [Buffer]

    const closed = Promise.all([once(byHeader, 'close'), once(byProtocol, 'close')])
    await signoff.logout(pair)
    const ends = await closed
    const refused = await Promise.all([statusOf(new WebSocket(url)), statusOf(again(url, pair.access))])

    expect(echo.toString()).to.equal(`${String(claimsOf(pair.access)['sub'])} says hello`)
    expect(byProtocol.protocol).to.equal('echo')
    expect(ends.map((end: unknown[]) => end.map(String))).to.deep.equal([
      ['4401', 'token_denied'],
      ['4401', 'token_denied'],
    ])
    expect(refused).to.deep.equal([401, 401])
  })

  it('websocket cuts off who stays on the line after the logout', async () => {
    const url = await start('websocket')
    const pair = await signoff.login()
    const socket = connect(Number(new URL(url).port), 'localhost')
    let received = ''
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
    socket.write(upgradeRequest(pair.access))
    await eventually(() => received.includes('101 Switching Protocols'))
    socket.write(TEXT_FRAME)
    await eventually(() => received.includes('says hi'))

    await signoff.logout(pair)
    await eventually(() => received.includes('token_denied'))
    received = ''
    socket.write(TEXT_FRAME)
    await once(socket, 'close')

    expect(received).to.equal('')
  })

  it('python-redis says 503 as long as Redis is not known to be complete', async () => {
    const empty = await testRedis()
    const url = await start('python-redis', { REDIS_URL: empty.url })
    const { access } = await signoff.login()

    const answer = await ask(url, access)

    expect(answer).to.include({ status: 503, retryAfter: '1' })
    expect(answer.body).to.deep.equal({ error: 'denylist_unknown' })
    await empty.remove()
  })

  it('curl sees the token live, and dead after the logout', async () => {
    const program = runExample('curl', environment)

    const status = await program.ended

    expect(status, program.output()).to.equal(0)
    expect(program.output()).to.match(/logged in: +\{"active":true,/)
    expect(program.output()).to.contain('{"message":"Logged out successfully"}')
    expect(program.output()).to.match(/logged out: \{"active":false\}\n$/)
  })

  it('say what to do when Signoff is not running', async () => {
    const program = runExample('koa', { ...environment, DATA_DIR: '/nowhere' })

    expect(await program.ended).to.equal(1)
    expect(program.output()).to.contain('npm start')
  })

  for (const name of ['koa', 'express', 'fastify', 'websocket']) {
    it(`${name} says what to do when it has no credentials`, async () => {
      const program = run(process.execPath, {
        args: [`examples/${name}/peer.js`],
        env: { PATH: process.env['PATH'] ?? '' },
      })

      expect(await program.ended).to.equal(2)
      expect(program.output()).to.contain('signoff peer add')
    })
  }

  /** Resolves to its address when it answers. */
  async function start(name: string, env: Record<string, string> = {}): Promise<string> {
    const port = await freePort()
    const appPort = await freePort()
    const ports = { PORT: String(port), APP_PORT: String(appPort) }
    const program = runExample(name, { ...environment, ...ports, ...env })
    running.push(program)
    let isOver = false
    void program.ended.then(() => (isOver = true))
    const url = `http://localhost:${port}`
    await eventually(async () => {
      if (isOver) throw new Error(`${name} ended: ${program.output()}`)
      return await fetch(url).then(
        () => true,
        () => false,
      )
    })
    return url
  }
})

async function environmentOf(signoff: StartedSignoff): Promise<Record<string, string>> {
  const programs = await Promise.all([nginx.program(), caddy.program(), python()])
  const folders = programs.map(({ executablePath }) => path.dirname(executablePath))
  const libraries = programs.flatMap(({ env }) => env['LD_LIBRARY_PATH'] ?? [])
  return {
    ...programs.reduce((env, program) => ({ ...env, ...program.env }), {}),
    ...(libraries.length > 0 && { LD_LIBRARY_PATH: libraries.join(':') }),
    ...signoff.env,
    PATH: [...folders, signoff.env['PATH']].join(path.delimiter),
  }
}

async function ask(url: string, token?: string) {
  const response = await fetch(url, {
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(50_000),
  })
  const text = await response.text()
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    retryAfter: response.headers.get('retry-after'),
    body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text,
  }
}

function again(url: string, token: string): WebSocket {
  return new WebSocket(url, { headers: { Authorization: `Bearer ${token}` } })
}

/** `hi`, masked as a client must (RFC 6455 section 5.3). */
const TEXT_FRAME = Buffer.concat([Buffer.from([0x81, 0x82, 0, 0, 0, 0]), Buffer.from('hi')])

/** For a client that does as it likes from then on. */
function upgradeRequest(token: string): string {
  const lines = [
    'GET / HTTP/1.1',
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Authorization: Bearer ${token}`,
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Of the refusal of an upgrade. */
async function statusOf(socket: WebSocket): Promise<number> {
  socket.on('error', () => undefined)
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
  return response.statusCode
}
