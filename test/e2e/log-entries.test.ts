// Log entries that cannot be written: nobody is kept in or out for it, and somebody is told.
import { expect } from 'chai'
import { browserClient } from '../support/clients/browser-client.ts'
import { rotatedLongAgo } from '../support/service/rotated-long-ago.ts'
import {
  PASSWORD,
  statusAndBody,
  testEnvironment,
  type TestEnvironment,
} from '../support/service/environment.ts'

describe('a logs table that takes no entries', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment({ REFRESH_ROTATION: 'on', ROTATION_GRACE: '0' })
    await env.database.sql(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON logs FOR EACH ROW EXECUTE FUNCTION refuse();`)
  })
  after(async () => {
    await env.stop()
  })

  const failures = async (): Promise<number> => {
    const response = await fetch(`${env.signoff.adminUrl}/metrics`)
    return Number(/^signoff_log_entry_failures_total (\d+)/m.exec(await response.text())?.[1])
  }
  const toldOf = (eventType: string) =>
    env.signoff.log.filter((line) => line['eventType'] === eventType && line['level'] === 'error')

  it('lets a browser log in and out, and tells the system log and the counter', async () => {
    const page = browserClient(env.signoff)
    const before = await failures()

    const login = await page.call('/auth/session', { json: { username: 'alice', password: PASSWORD } })
    const { csrf_token } = login.json as { csrf_token: string }
    const logout = await page.call('/auth/logout', { headers: { 'X-CSRF-Token': csrf_token } })

    expect(login.status).to.equal(200)
    expect(statusAndBody(logout)).to.deep.equal({ status: 200, body: { message: 'Logout successful' } })
    expect(await page.cookie()).to.equal(null)
    expect(await failures()).to.equal(before + 2)
    expect(toldOf('USER_LOGOUT')).to.have.length(1)
    expect(toldOf('USER_LOGOUT')[0]).to.include({ msg: 'a log entry could not be written' })
  })

  it('answers a wrong password as ever', async () => {
    const answer = await env.signoff.post('/auth/login/', { username: 'alice', password: 'not hers' })

    expect(answer.status).to.equal(401)
    expect(toldOf('USER_LOGIN_FAILED')).not.to.be.empty
  })

  it('still ends a session whose refresh token comes back', async () => {
    const first = await env.login()
    const answer = await env.signoff.post('/auth/token/refresh/', { refresh: first.refresh })
    const second = answer.json as { refresh: string }
    await env.signoff.post('/auth/token/verify/', { token: second.refresh })
    await rotatedLongAgo(env.database, first.refresh)

    const reused = await env.signoff.post('/auth/token/refresh/', { refresh: first.refresh })
    const successor = await env.signoff.post('/auth/token/refresh/', { refresh: second.refresh })

    expect([reused.status, successor.status]).to.deep.equal([401, 401])
    expect(toldOf('REFRESH_REUSE')).to.have.length(1)
  })
})
