// A refusal, whatever it is about, leaves its connection ready for the next request, or ends it.
import { expect } from 'chai'
import { gzipSync } from 'node:zlib'
import { randomBytes } from 'node:crypto'
import { eventually, testEnvironment, type TestEnvironment } from '../support/service/environment.ts'
import { rawConnection, type RawConnection } from '../support/clients/raw-connection.ts'
import { guessUntilThrottled } from '../support/service/throttled.ts'

/** Far beyond a second, and well before a connection that hangs is ended with 408. */
const SETTLED_MS = 10_000

interface Kind {
  /** The headers that announce the body, a line each. */
  head: string[]
  body: string | Buffer
}

const LONG = 'x'.repeat(200_000)
const SMALL = '{"a":1}'
const JSON_TYPE = 'Content-Type: application/json'
/** Random, so that it stays as long. */
const packed = gzipSync(randomBytes(150_000))

const KINDS = {
  none: { head: [], body: '' },
  small: { head: [JSON_TYPE, `Content-Length: ${SMALL.length}`], body: SMALL },
  long: { head: [JSON_TYPE, `Content-Length: ${LONG.length}`], body: LONG },
  'too long to drain': { head: [JSON_TYPE, 'Content-Length: 2000000'], body: 'x'.repeat(2_000_000) },
  chunked: { head: [JSON_TYPE, 'Transfer-Encoding: chunked'], body: chunked(LONG) },
  'chunked, too long to drain': {
    head: [JSON_TYPE, 'Transfer-Encoding: chunked'],
    body: chunked('x'.repeat(2_000_000)),
  },
  gzip: { head: [JSON_TYPE, 'Content-Encoding: gzip', `Content-Length: ${packed.length}`], body: packed },
  'half-sent': { head: [JSON_TYPE, `Content-Length: ${LONG.length}`], body: 'x'.repeat(1000) },
} satisfies Record<string, Kind>

type KindName = keyof typeof KINDS

interface Refused {
  what: string
  method: string
  path: string
  headers?: string[]
  /** With each kind of body: what is looked at before the body always is the same. */
  status: number | Record<KindName, number>
}

/** An endpoint that reads bodies, and what it says to none and to a small one. */
const reading = (none: number, small: number): Record<KindName, number> => ({
  none,
  small,
  long: 413,
  'too long to drain': 413,
  chunked: 413,
  'chunked, too long to drain': 413,
  gzip: 415,
  'half-sent': 413,
})

const TABLE: Refused[] = [
  { what: 'a path that leads nowhere', method: 'POST', path: '/nowhere', status: 404 },
  { what: 'another method', method: 'PUT', path: '/auth/login/', status: 405 },
  { what: 'the gateway check', method: 'POST', path: '/auth/check', status: 401 },
  { what: 'a GET of keys', method: 'GET', path: '/.well-known/jwks.json', status: reading(200, 200) },
  { what: 'a login', method: 'POST', path: '/auth/login/', status: reading(400, 400) },
  { what: 'a logout', method: 'POST', path: '/auth/logout/', status: reading(401, 400) },
  {
    what: 'a login of a foreign page',
    method: 'POST',
    path: '/auth/login/',
    headers: ['Sec-Fetch-Site: cross-site'],
    status: reading(403, 403),
  },
  {
    what: 'a refresh of the browser',
    method: 'POST',
    path: '/auth/session/refresh',
    status: reading(401, 401),
  },
  { what: 'a bearer logout', method: 'POST', path: '/logout', status: reading(401, 401) },
  {
    what: 'a login at the account API',
    method: 'POST',
    path: '/api/v1/auth/login',
    status: reading(400, 400),
  },
  { what: 'an introspection', method: 'POST', path: '/oauth/introspect', status: reading(401, 415) },
  { what: 'the feed', method: 'GET', path: '/denylist/feed', status: reading(401, 401) },
]

describe('a connection whose request is refused', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment()
  })
  after(async () => {
    await env.stop()
  })

  for (const refused of TABLE) {
    for (const [name, kind] of Object.entries(KINDS) as [KindName, Kind][]) {
      it(`takes the next one or ends: ${refused.what} with ${name} as body`, async () => {
        await expectSettled(refused, kind, statusOf(refused, name))
      })
    }
  }

  it('is refused in the words of each dialect when the body is packed', async () => {
    const words = await Promise.all(
      [
        '/auth/login/',
        '/auth/logout/',
        '/auth/session',
        '/logout',
        '/api/v1/auth/login',
        '/oauth/revoke',
      ].map(async (path) => {
        const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }
        const { status, json } = await env.signoff.call(path, { body: gzipSync('{}'), headers })
        return [path, status, Object.keys(json as object).sort()]
      }),
    )

    expect(words).to.deep.equal([
      ['/auth/login/', 415, ['detail']],
      ['/auth/logout/', 415, ['detail']],
      ['/auth/session', 415, ['error_code', 'message']],
      ['/logout', 415, ['error']],
      ['/api/v1/auth/login', 415, ['code', 'detail', 'status', 'title', 'type']],
      ['/oauth/revoke', 415, ['error', 'error_description']],
    ])
  })

  it('takes a body that says it is not packed', async () => {
    const headers = { 'Content-Encoding': 'Identity' }
    const answer = await env.signoff.call('/auth/login/', { json: {}, headers })

    expect(answer.status).to.equal(400)
  })

  it('is not acted on any more once it ends', async () => {
    const connection = await rawConnection(env.signoff)
    const { refresh } = await env.login()
    const logout = JSON.stringify({ refresh_token: refresh })
    const head = [
      'POST /auth/logout/ HTTP/1.1',
      'Host: localhost',
      JSON_TYPE,
      `Content-Length: ${logout.length}`,
    ]
    const { 'too long to drain': tooLong } = KINDS

    connection.write(headOf({ method: 'POST', path: '/auth/login/' }, tooLong))
    connection.write(tooLong.body)
    connection.write(`${head.join('\r\n')}\r\n\r\n${logout}`)

    expect(await connection.answer()).to.include({ status: 413 })
    expect(await connection.answer()).to.equal('closed')
    expect((await env.signoff.post('/auth/token/verify/', { token: refresh })).status).to.equal(200)
  })

  it('takes the next one or ends when the guess was one too many', async () => {
    await env.addUser('guessed')
    const json = { username: 'guessed', password: 'wrong' }
    await guessUntilThrottled(env.redis, async () => await env.signoff.post('/auth/login/', json))
    const body = JSON.stringify(json)
    const kind = { head: [JSON_TYPE, `Content-Length: ${body.length}`], body }

    await expectSettled({ method: 'POST', path: '/auth/login/' }, kind, 429)
  })

  it('takes the next one or ends while a store is down', async () => {
    await env.redis.signal('SIGKILL')
    await eventually(async () => (await env.signoff.call('/readyz', { method: 'GET' })).status === 503)

    for (const [name, kind] of Object.entries(KINDS) as [KindName, Kind][]) {
      await expectSettled({ method: 'GET', path: '/readyz' }, kind, reading(503, 503)[name])
    }
  })

  async function expectSettled(
    request: Pick<Refused, 'method' | 'path' | 'headers'>,
    kind: Kind,
    status: number,
  ): Promise<void> {
    const connection = await rawConnection(env.signoff)
    try {
      connection.write(headOf(request, kind))
      connection.write(kind.body)
      const refusal = await connection.answer()

      expect(refusal).to.include({ status })
      if (refusal === 'closed') return
      if (refusal.headers['connection'] === 'close') expect(await connection.ends(SETTLED_MS)).to.equal(true)
      else await expectNextAnswer(connection)
    } finally {
      connection.destroy()
    }
  }

  async function expectNextAnswer(connection: RawConnection): Promise<void> {
    const start = performance.now()
    connection.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')

    expect(await connection.answer()).to.include({ status: 200, text: '{"status":"ok"}' })
    expect(performance.now() - start).to.be.below(SETTLED_MS)
  }
})

function statusOf({ status }: Refused, name: KindName): number {
  return typeof status === 'number' ? status : status[name]
}

function headOf(
  { method, path, headers = [] }: Pick<Refused, 'method' | 'path' | 'headers'>,
  { head }: Kind,
): string {
  return [`${method} ${path} HTTP/1.1`, 'Host: localhost', ...headers, ...head, '', ''].join('\r\n')
}

/** In chunks of 10,000 bytes. */
function chunked(text: string): string {
  const chunks = text.match(/.{1,10000}/g) ?? []
  return [...chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`), '0\r\n\r\n'].join('')
}
