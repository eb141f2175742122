// An instance whose clock is behind: it ends what it is asked to end, and tells of its clock.
import { expect } from 'chai'
import { eventually, PASSWORD } from '../support/service/environment.ts'
import { testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { addedPeer, type PeerClient } from '../support/clients/peer.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { sessionsInBulk } from '../support/service/sessions-in-bulk.ts'
import {
  A_MINUTE_MS,
  readiness,
  severalInstances,
  stopAll,
  untilAllReady,
} from '../support/service/several-instances.ts'
import type { Answer, Signoff } from '../support/service/signoff.ts'
import { askedAgain } from '../support/service/until-answered.ts'

/** For a machine that does much else. */
const TIMEOUT_MS = 180_000
const BEHIND_SECONDS = 30

interface Tokens {
  access: string
  refresh: string
}

interface Dialect {
  name: string
  login: string
  logout: (to: { signoff: Signoff; peer: PeerClient }, tokens: Tokens) => Promise<Answer>
  done: number
}

const DIALECTS: Dialect[] = [
  {
    name: '/auth/logout/',
    login: '/auth/login/',
    logout: async ({ signoff }, { refresh }) =>
      await signoff.post('/auth/logout/', { refresh_token: refresh }),
    done: 200,
  },
  {
    name: '/auth/token/blacklist/',
    login: '/auth/login/',
    logout: async ({ signoff }, { refresh }) => await signoff.post('/auth/token/blacklist/', { refresh }),
    done: 200,
  },
  {
    name: '/logout',
    login: '/auth/login/',
    logout: async ({ signoff }, { access }) =>
      await signoff.call('/logout', { headers: { Authorization: `Bearer ${access}` } }),
    done: 200,
  },
  {
    name: '/api/v1/auth/logout',
    login: '/api/v1/auth/login',
    logout: async ({ signoff }, { refresh }) =>
      await signoff.post('/api/v1/auth/logout', { refresh_token: refresh }),
    done: 204,
  },
  {
    // It answers so for any token, also for one that it takes for none.
    name: '/oauth/revoke',
    login: '/auth/login/',
    logout: async ({ peer }, { refresh }) => await peer.revoke(refresh),
    done: 200,
  },
]

describe('an instance whose clock is behind', function () {
  this.timeout(TIMEOUT_MS)
  let database: TestDatabase
  let redis: TestRedis
  let instances: Signoff[]
  let right: Signoff
  let behind: Signoff
  let peer: PeerClient

  before(async () => {
    ;[database, redis] = await Promise.all([testDatabase(), testRedis()])
    const stores = { databaseUrl: database.url, redisUrl: redis.url }
    instances = await severalInstances([stores, { ...stores, clockShiftMs: -BEHIND_SECONDS * 1000 }])
    ;[right, behind] = instances.map(askedAgain) as [Signoff, Signoff]
    await (await sessionsInBulk({ database, files: right.files })).addUsers(['ann'])
    peer = await addedPeer(behind, database)
    await untilAllReady(instances, ({ text }) => text.includes('clock'))
  })
  after(async () => {
    await stopAll(instances)
    await Promise.all([database.drop(), redis.remove()])
  })

  for (const { name, login, logout, done } of DIALECTS) {
    it(`ends a session that has just begun elsewhere, by ${name}`, async () => {
      const tokens = tokensOf(await right.post(login, { username: 'ann', password: PASSWORD }))
      const before = await refreshed(right, tokens)

      const answer = await logout({ signoff: behind, peer }, before)

      expect(answer.status, answer.text).to.equal(done)
      expect((await tried(right, before)).status).to.equal(401)
      expect((await tried(behind, before)).status).to.equal(401)
    })

    /** Resolves to the newest tokens. */
    async function refreshed(signoff: Signoff, tokens: Tokens): Promise<Tokens> {
      const answer = await tried(signoff, tokens)
      expect(answer.status).to.equal(200)
      return { ...tokens, ...tokensOf(answer) }
    }

    async function tried(signoff: Signoff, { refresh }: Tokens): Promise<Answer> {
      return login.startsWith('/api/v1')
        ? await signoff.post('/api/v1/auth/refresh', { refresh_token: refresh })
        : await signoff.post('/auth/token/refresh/', { refresh })
    }
  }

  it('tells of its clock in /readyz, where the others do not', async () => {
    let text = ''
    await eventually(async () => {
      text = (await readiness(behind)).text
      return text.includes('the clock of this machine')
    }, A_MINUTE_MS).catch(() => undefined)

    expect(text).to.match(/the clock of this machine is .* behind/)
    expect((await readiness(right)).text).to.not.match(/the clock of/)
  })

  it('tells of its clock in the metrics', async () => {
    const metrics = await (await fetch(`${behind.adminUrl}/metrics`)).text()
    const [, offset] = /^signoff_clock_offset_seconds\{[^}]*of="postgres"[^}]*\} (\S+)$/m.exec(metrics) ?? []

    expect(Math.abs(Number(offset))).to.be.closeTo(BEHIND_SECONDS, 5)
  })
})

/** Those of either dialect, as far as it has them. */
function tokensOf({ json }: Answer): Tokens {
  const { access, refresh, access_token, refresh_token } = json as Record<string, string | undefined>
  const found = { access: access ?? access_token, refresh: refresh ?? refresh_token }
  return Object.fromEntries(Object.entries(found).filter(([, token]) => token !== undefined)) as never
}
