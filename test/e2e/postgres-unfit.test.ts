// A Postgres that may lose logouts, or cannot be asked whether it does: what serve makes of it.
import { expect } from 'chai'
import { eventually } from '../support/service/environment.ts'
import { restartablePostgres, type RestartablePostgres } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { runSignoff, startSignoff, type Signoff } from '../support/service/signoff.ts'

const LOSES = 'Postgres may lose what it has committed, which undoes logouts: set fsync to on (it is off)'
const NOT_ASKED = 'Postgres could not be asked yet: serving without having seen how it is set up'

describe('a Postgres that may lose logouts', () => {
  let postgres: RestartablePostgres
  let redis: TestRedis

  before(async () => {
    ;[postgres, redis] = await Promise.all([restartablePostgres(), testRedis()])
    await postgres.sql('ALTER SYSTEM SET fsync = off')
    await postgres.restart()
  })
  after(async () => {
    await Promise.all([postgres.remove(), redis.remove()])
  })

  const said = async (signoff: Signoff, message: string) => {
    await eventually(async () => await Promise.resolve(signoff.log.some(({ msg }) => msg === message)))
  }

  it('is complained of in the log, and keeps serve from starting in production, with what to do', async () => {
    const signoff = await startSignoff({ databaseUrl: postgres.url(), redisUrl: redis.url })
    try {
      await said(signoff, LOSES)
      const { certFile, signingKeysFile, refreshKeyFile, directory } = signoff.files

      const { status, stderr } = await runSignoff(['serve'], {
        env: {
          NODE_ENV: 'production',
          PORT: '0',
          ADMIN_PORT: '0',
          HOST: '127.0.0.1',
          DATABASE_URL: postgres.url(),
          REDIS_URL: redis.url,
          TLS_CERT_FILE: certFile,
          TLS_KEY_FILE: `${directory}/key.pem`,
          SIGNING_KEYS_FILE: signingKeysFile,
          REFRESH_KEY_FILE: refreshKeyFile,
        },
      })

      expect(status).to.equal(2)
      expect(stderr).to.contain(`DATABASE_URL: ${LOSES}`)
    } finally {
      await signoff.stop()
    }
  })

  for (const NODE_ENV of ['production', 'development']) {
    it(`is not taken for a fit one where it cannot be asked (${NODE_ENV})`, async () => {
      const databaseUrl = 'postgres://nobody:x@127.0.0.1:1/none'
      const signoff = await startSignoff({ databaseUrl, redisUrl: redis.url, env: { NODE_ENV } })
      try {
        await said(signoff, NOT_ASKED)
      } finally {
        await signoff.stop()
      }
    })
  }

  it('says of a standby, in production too, that it is one', async () => {
    await postgres.restartAsStandby()
    const signoff = await startSignoff({
      databaseUrl: postgres.url(),
      redisUrl: redis.url,
      env: { NODE_ENV: 'production' },
    })
    try {
      await said(signoff, NOT_ASKED)
      const told = signoff.log.find(({ msg }) => msg === NOT_ASKED)

      expect(JSON.stringify(told)).to.contain('Postgres is a standby (in recovery)')
    } finally {
      await signoff.stop()
    }
  })
})
