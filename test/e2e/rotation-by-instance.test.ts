// REFRESH_ROTATION on at one instance and off at the other, as while it is rolled out.
import { expect } from 'chai'
import { claimsOf } from '../support/service/environment.ts'
import { testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { addUser } from '../support/service/add-user.ts'
import { REFRESH_DIALECTS, type RefreshDialect } from '../support/service/refresh-dialects.ts'
import { severalInstances, stopAll, untilAllReady } from '../support/service/several-instances.ts'
import type { Signoff } from '../support/service/signoff.ts'

const [TOKEN_API] = REFRESH_DIALECTS as [RefreshDialect]

describe('two instances, of which one rotates', () => {
  let database: TestDatabase
  let redis: TestRedis
  let on: Signoff
  let off: Signoff

  before(async () => {
    ;[database, redis] = await Promise.all([testDatabase(), testRedis()])
    const stores = { databaseUrl: database.url, redisUrl: redis.url }
    const instances = await severalInstances([
      { ...stores, env: { REFRESH_ROTATION: 'on' } },
      { ...stores, env: { REFRESH_ROTATION: 'off' } },
    ])
    ;[on, off] = instances as [Signoff, Signoff]
    await addUser(database, 'alice')
    await untilAllReady(instances)
  })
  after(async () => {
    await stopAll([on, off])
    await Promise.all([redis.remove(), database.drop()])
  })

  const at = (setting: string): Signoff => (setting === 'on' ? on : off)
  const refresh = async (setting: string, token: string) => await TOKEN_API.refresh(at(setting), token)

  for (const begunAt of ['on', 'off']) {
    for (const firstAt of ['on', 'off']) {
      for (const secondAt of ['on', 'off']) {
        it(`log nobody out: login at "${begunAt}", answer of "${firstAt}" lost, retry at "${secondAt}"`, async () => {
          const token = await TOKEN_API.login(at(begunAt))
          const lost = await refresh(firstAt, token)

          const again = await refresh(secondAt, token)

          expect([lost.status, again.status]).to.deep.equal([200, 200])
          if (lost.successor !== undefined) expect(again.successor).to.equal(lost.successor)
          const held = again.successor ?? token
          const next = await refresh(firstAt, held)
          expect(next.status).to.equal(200)
          expect((await refresh(secondAt, next.successor ?? held)).status).to.equal(200)
        })
      }
    }
  }

  for (const dialect of REFRESH_DIALECTS.slice(1)) {
    it(`answer a token of ${dialect.name} with its successor, whatever the setting`, async () => {
      const token = await dialect.login(off)

      const answer = await refresh('off', token)

      expect(answer.body).to.have.all.keys('access', 'refresh')
      expect(claimsOf(answer.successor ?? '')).to.include({ gen: 1 })
    })
  }

  it('answer a token that does not rotate with an access token alone, where rotation is off', async () => {
    expect((await refresh('off', await TOKEN_API.login(off))).body).to.have.all.keys('access')
  })
})
