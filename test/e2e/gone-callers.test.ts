// A caller who has gone ends no session by a token that was used up: gone by its connection, or by a process that stood still.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { expect } from 'chai'
import {
  claimsOf,
  eventually,
  testEnvironment,
  type TestEnvironment,
} from '../support/service/environment.ts'
import { REFRESH_DIALECTS } from '../support/service/refresh-dialects.ts'

/** Longer than a standstill has to be to count as one. */
const STANDSTILL_MS = 5000
/** Shorter than that: here it is the closed connection alone that tells. */
const HICCUP_MS = 700
/** Of what lay in the sockets. */
const CAUGHT_UP_MS = 2500

describe('a refresh token that was used up', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment({ REFRESH_ROTATION: 'on' })
  })
  after(async () => {
    env.signoff.kill('SIGCONT')
    await env.stop()
  })

  const endReasonOf = async (token: string): Promise<string | null | undefined> => {
    const [row] = await env.database.sql<{ end_reason: string | null }>(
      'SELECT end_reason FROM user_sessions WHERE id = $1',
      [claimsOf(token)['sid']],
    )
    return row?.end_reason
  }

  for (const dialect of REFRESH_DIALECTS) {
    const refresh = async (token: string) => await dialect.refresh(env.signoff, token)
    const usedAndCurrent = async () => {
      const used = await dialect.login(env.signoff)
      const current = (await refresh((await refresh(used)).successor ?? '')).successor ?? ''
      return { used, current }
    }

    it(`ends nothing at ${dialect.name} after a standstill with the request in its socket: 503`, async function () {
      this.timeout(60_000)
      const { used, current } = await usedAndCurrent()

      env.signoff.kill('SIGSTOP')
      const waiting = dialect.refresh(env.firstAnswers, used)
      await sleep(STANDSTILL_MS)
      env.signoff.kill('SIGCONT')
      const answer = await waiting

      expect(answer.status).to.equal(503)
      expect(await endReasonOf(used)).to.equal(null)
      const next = await refresh(current)
      expect(next.status).to.equal(200)
      await sleep(CAUGHT_UP_MS)
      expect((await refresh(used)).status).to.equal(401)
      expect(await endReasonOf(used)).to.equal('refresh_reuse')
      expect((await refresh(next.successor ?? '')).status).to.equal(401)
    })
  }

  it('ends nothing for a caller whose connection is closed before it is judged', async function () {
    this.timeout(60_000)
    const [tokenApi] = REFRESH_DIALECTS
    const used = (await tokenApi?.login(env.signoff)) ?? ''
    const next = (await tokenApi?.refresh(env.signoff, used))?.successor ?? ''
    await tokenApi?.refresh(env.signoff, next)
    const [socket, before] = [await connection(), await answeredRefreshes(503)]

    env.signoff.kill('SIGSTOP')
    const body = JSON.stringify({ refresh: used })
    socket.write(
      `POST /auth/token/refresh/ HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: gone\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    socket.end()
    await sleep(HICCUP_MS)
    env.signoff.kill('SIGCONT')

    await eventually(async () => (await answeredRefreshes(503)) > before)
    expect(await endReasonOf(used)).to.equal(null)
    expect((await tokenApi?.refresh(env.signoff, used))?.status).to.equal(401)
    expect(await endReasonOf(used)).to.equal('refresh_reuse')
  })

  async function connection(): Promise<TLSSocket> {
    const socket = connect({
      host: '127.0.0.1',
      port: Number(new URL(env.signoff.url).port),
      servername: 'localhost',
      ca: readFileSync(env.signoff.files.certFile),
    })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    return socket
  }

  async function answeredRefreshes(status: number): Promise<number> {
    const metrics = await (await fetch(`${env.signoff.adminUrl}/metrics`)).text()
    const line = metrics
      .split('\n')
      .find(
        (text) =>
          text.startsWith('signoff_http_request_duration_seconds_count') &&
          text.includes(`status="${status}"`) &&
          text.includes('/auth/token/refresh'),
      )
    return Number(line?.split(' ').at(-1) ?? 0)
  }
})
