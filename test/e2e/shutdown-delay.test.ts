// SIGTERM with SHUTDOWN_DELAY: what sends requests is told first, and finds everything answered until it has noticed.
import { expect } from 'chai'
import { eventually, testEnvironment, type TestEnvironment } from '../support/service/environment.ts'

/** Longer than a slow machine takes for the requests of this test. */
const DELAY_SECONDS = 20

describe('signoff serve with SHUTDOWN_DELAY', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment({ SHUTDOWN_DELAY: String(DELAY_SECONDS) })
  })
  after(async () => {
    await env.stop()
  })

  it('is not ready any more, answers all the same and ends each connection, then exits 0', async function () {
    this.timeout(120_000)
    const get = async (path: string) => await env.firstAnswers.call(path, { method: 'GET' })
    expect((await get('/readyz/traffic')).headers['connection']).to.equal('keep-alive')

    env.signoff.kill('SIGTERM')
    await eventually(async () => (await get('/readyz/traffic')).status === 503)

    const ready = await get('/readyz')
    expect(ready.status).to.equal(503)
    expect((ready.json as { checks: object }).checks).to.include({ process: 'is stopping', postgres: 'ok' })
    const { refresh } = await env.login()
    const logout = await env.signoff.post('/auth/logout/', { refresh_token: refresh })
    expect([logout.status, logout.headers['connection']]).to.deep.equal([200, 'close'])
    expect(await env.signoff.exited).to.equal(0)
    expect(env.signoff.log.map(({ msg }) => msg)).to.include.members([
      'stopping: not ready any more, serving for SHUTDOWN_DELAY',
      'stopping: finishing what is in flight',
      'stopped',
    ])
  })
})
