// The devices and the log entries of a user at /api/v1, over TLS.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { testEnvironment, type TestEnvironment } from '../../support/service/environment.ts'
import { expectProblem, sidOf, v1Client, type V1Pair } from './v1-client.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

interface Page {
  events: { id: string; type: string; session_id: string; user_agent: string; created_at: string }[]
  next_cursor: string | null
}

describe('the sessions of /api/v1', () => {
  let env: TestEnvironment
  let username: string
  let here: V1Pair
  let elsewhere: V1Pair
  let count = 0
  const client = v1Client(() => env.signoff)

  before(async () => {
    env = await testEnvironment()
  })
  after(async () => {
    await env.stop()
  })
  beforeEach(async () => {
    username = `user-${++count}`
    await env.addUser(username)
    elsewhere = await client.login(username, 'curl/8.5.0')
    here = await client.login(username, FIREFOX)
  })

  describe('GET sessions', () => {
    const list = async () => {
      const answer = await client.call('GET /sessions', { as: here.access_token })
      expect(answer.status, answer.text).to.equal(200)
      return (answer.json as { sessions: Record<string, unknown>[] }).sessions
    }

    it('answers the user’s live sessions, the newest first, and which one asks', async () => {
      await client.login('alice')

      const sessions = await list()

      const [current, other, ...others] = sessions
      expect(others).to.deep.equal([])
      expect(current).to.include({
        id: sidOf(here),
        device: 'Firefox on Linux',
        user_agent: FIREFOX,
        ip_address: '127.0.0.1',
        current: true,
      })
      expect(other).to.include({ id: sidOf(elsewhere), device: 'curl 8', current: false })
      for (const field of ['created_at', 'last_seen_at', 'expires_at']) {
        expect(current?.[field]).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      }
    })

    it('answers a page at a time, and 400 for a limit or a cursor that is none', async () => {
      const newest = await client.login(username)
      const page = async (query: string) => {
        const answer = await client.call(`GET /sessions?${query}`, { as: here.access_token })
        const { sessions, next_cursor } = answer.json as { sessions: { id: string }[]; next_cursor: string }
        return { ids: sessions.map(({ id }) => id), next: next_cursor }
      }

      const first = await page('limit=2')
      const second = await page(`limit=2&cursor=${first.next}`)
      const refused = []
      for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=x']) {
        refused.push((await client.call(`GET /sessions?${query}`, { as: here.access_token })).status)
      }

      expect(first).to.deep.equal({ ids: [sidOf(newest), sidOf(here)], next: sidOf(here) })
      expect(second).to.deep.equal({ ids: [sidOf(elsewhere)], next: null })
      expect(refused).to.deep.equal([400, 400, 400, 400])
    })

    it('says when a session was last refreshed', async () => {
      const [, before] = await list()
      await client.refreshed(elsewhere)
      const [, after] = await list()

      expect(String(after?.['last_seen_at']) > String(before?.['last_seen_at'])).to.equal(true)
      expect(after?.['created_at']).to.equal(before?.['created_at'])
    })

    it('leaves out those that are over', async () => {
      await client.call('POST /logout', { as: elsewhere.access_token })

      expect((await list()).map(({ id }) => id)).to.deep.equal([sidOf(here)])
    })
  })

  describe('DELETE sessions/{id}', () => {
    const revoke = async (id: string) =>
      await client.call(`DELETE /sessions/${id}`, { as: here.access_token })

    it('ends that session at once, and no other', async () => {
      const answer = await revoke(sidOf(elsewhere))

      expect([answer.status, answer.text]).to.deep.equal([204, ''])
      expect(await client.accepted(elsewhere)).to.equal('token_revoked')
      expect(await client.refreshed(elsewhere)).to.equal('token_revoked')
      expect(await client.accepted(here)).to.equal('accepted')
    })

    it('may end the one that asks', async () => {
      expect((await revoke(sidOf(here))).status).to.equal(204)

      expect(await client.accepted(here)).to.equal('token_revoked')
    })

    it('answers 404 for another user’s, for one that is over, for none, and for what is no id', async () => {
      const alice = await client.login('alice')
      await revoke(sidOf(elsewhere))

      for (const id of [sidOf(alice), sidOf(elsewhere), uuidv7(), 'x', '%00', '%27']) {
        expectProblem(await revoke(id), 404, 'session_not_found')
      }
      expect(await client.accepted(alice)).to.equal('accepted')
    })
  })

  describe('GET events', () => {
    const read = async (query = '') => {
      const answer = await client.call(`GET /events${query}`, { as: here.access_token })
      expect(answer.status, answer.text).to.equal(200)
      return answer.json as Page
    }

    it('answers the user’s own log entries, the newest first', async () => {
      await client.call(`DELETE /sessions/${sidOf(elsewhere)}`, { as: here.access_token, userAgent: FIREFOX })

      const { events, next_cursor } = await read()

      expect(events.map(({ type, session_id }) => ({ type, session_id }))).to.deep.equal([
        { type: 'SESSION_REVOKED', session_id: sidOf(elsewhere) },
        { type: 'USER_LOGIN', session_id: sidOf(here) },
        { type: 'USER_LOGIN', session_id: sidOf(elsewhere) },
        { type: 'USER_ADDED', session_id: null },
      ])
      expect(events[0]).to.have.all.keys(
        ...['id', 'type', 'session_id', 'ip_address', 'user_agent', 'message', 'created_at'],
      )
      expect(events[0]).to.include({ user_agent: FIREFOX, ip_address: '127.0.0.1' })
      expect(next_cursor).to.equal(null)
    })

    it('goes on from the cursor, until there are no more', async () => {
      const all = (await read()).events
      const first = await read('?limit=2')
      const second = await read(`?limit=2&cursor=${String(first.next_cursor)}`)

      expect([...first.events, ...second.events]).to.deep.equal(all)
      expect([first.events.length, second.next_cursor]).to.deep.equal([2, null])
    })

    for (const query of ['?limit=0', '?limit=101', '?limit=x', '?cursor=x', '?cursor=', '?limit=1&limit=2']) {
      it(`answers 400 for ${query}`, async () => {
        const answer = await client.call(`GET /events${query}`, { as: here.access_token })

        expectProblem(answer, 400, 'invalid_request')
      })
    }
  })
})
