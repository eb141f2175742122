// Behind nginx all callers share a few connections: what one of them is refused must not stop the others.
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { fetch } from 'undici'
import { FETCH_TIMEOUT_MS } from '../support/servers/debian-packages.ts'
import { testEnvironment, type TestEnvironment } from '../support/service/environment.ts'
import { nginxBefore, type TestNginx } from '../support/servers/nginx.ts'

/** As many as nginx keeps. */
const CONNECTIONS = 16
const LOGOUTS = 8
const TOO_LONG = randomBytes(150_000)

describe('refused bodies behind nginx that keeps its connections', () => {
  let env: TestEnvironment
  let nginx: TestNginx

  before(async function () {
    this.timeout(FETCH_TIMEOUT_MS)
    env = await testEnvironment()
    nginx = await nginxBefore(env.signoff)
  })
  after(async () => {
    await nginx.stop()
    await env.stop()
  })

  const post = async (
    path: string,
    body: string | Buffer | Readable,
    headers: Record<string, string> = {},
  ) => {
    const answer = await fetch(`${nginx.url}${path}`, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'Content-Type': 'application/json', ...headers },
    })
    await answer.arrayBuffer()
    return answer.status
  }

  const KINDS = [
    { what: 'packed', body: () => gzipSync(TOO_LONG), headers: { 'Content-Encoding': 'gzip' }, status: 415 },
    { what: 'too long', body: () => Readable.from([TOO_LONG]), headers: {}, status: 413 },
  ]
  for (const { what, body, headers, status } of KINDS) {
    it(`let the logouts of others happen when they are ${what}`, async () => {
      const pairs = await Promise.all(Array.from({ length: LOGOUTS }, async () => await env.login()))

      const refused = await Promise.all(
        Array.from({ length: CONNECTIONS }, async () => await post('/auth/login/', body(), headers)),
      )
      const loggedOut = await Promise.all(
        pairs.map(
          async ({ refresh }) => await post('/auth/logout/', JSON.stringify({ refresh_token: refresh })),
        ),
      )

      expect(refused).to.deep.equal(Array<number>(CONNECTIONS).fill(status))
      expect(loggedOut).to.deep.equal(Array<number>(LOGOUTS).fill(200))
    })
  }
})
