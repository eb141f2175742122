// A command that ends many sessions while Redis fails it in the middle: nothing vouches for what Redis was not told.
import { expect } from 'chai'
import { disableUser, type UsersDeps } from '../../../src/auth/accounts/manage-users.ts'
import { withUsers } from '../../../src/commands/with-users.ts'
import { denialKey } from '../../../src/contract/denylist-keys.ts'
import { AuthError } from '../../../src/auth/errors.ts'
import { BATCH_SESSIONS } from '../../../src/store/postgres/end-many.ts'
import { storedUser } from '../../support/builders/stored-session.ts'
import { eventually } from '../../support/service/environment.ts'
import type { RelayInstance } from '../../support/stores/relay-instance.ts'
import type { RelayRig } from '../../support/stores/relay-rig.ts'
import { relayTicks, type RelayTicks } from '../../support/stores/relay-ticks.ts'
import { RIG_ISSUER, RIG_LEEWAY_SECONDS } from '../../support/stores/relaying.ts'
import { tcpProxy, type TcpProxy } from '../../support/servers/tcp-proxy.ts'

/** Three batches. */
const SESSIONS = 2 * BATCH_SESSIONS + 200

interface CommandRow {
  seen_at: Date
  left_at: Date | null
}

describe('a command that ends many sessions', () => {
  let ticks: RelayTicks
  let rig: RelayRig
  let toRedis: TcpProxy
  let instances: RelayInstance[]
  let sids: string[]

  before(async () => {
    ticks = await relayTicks()
    rig = ticks.rig
    toRedis = await tcpProxy(Number(new URL(rig.redis.url).port))
  })
  after(async () => {
    await toRedis.close()
    await rig.close()
  })
  beforeEach(async () => {
    await ticks.reset()
    await rig.store.database.sql('TRUNCATE users CASCADE')
    toRedis.pass()
    instances = [await ticks.start(), await ticks.start()]
    await ticks.settle()
    const { id } = await storedUser(rig.store, { username: 'alice' })
    const rows = await rig.store.database.sql<{ id: string }>(
      `INSERT INTO user_sessions (id, user_id, refresh_jti_hash, expires_at, ip_address)
       SELECT overlay(gen_random_uuid()::text PLACING '018f0000-0000-7' FROM 1 FOR 15)::uuid, $1, '\\x00',
              now() + interval '1 hour', '::1'
       FROM generate_series(1, $2::int) RETURNING id`,
      [id, SESSIONS],
    )
    sids = rows.map((row) => row.id)
  })

  /** `signoff user disable alice`, whose instances tick until the first session ends; `told` is called after each batch. */
  const disable = async (told: (batch: number) => Promise<void>): Promise<void> => {
    const redisUrl = new URL(rig.redis.url)
    redisUrl.port = String(toRedis.port)
    const isIntroduced = { yet: false }
    const ticking = (async () => {
      while (!isIntroduced.yet) await ticks.everybodyTicks()
    })()
    const deps = (given: UsersDeps): UsersDeps => {
      let batch = 0
      return {
        ...given,
        userAdmin: {
          ...given.userAdmin,
          disable: async (username, entry) => {
            const disabled = await given.userAdmin.disable(username, entry)
            isIntroduced.yet = true
            await ticking
            return disabled
          },
        },
        denylist: {
          tell: async (denials) => {
            await given.denylist.tell(denials)
            await told((batch += 1))
          },
        },
      }
    }
    const stores = {
      databaseUrl: rig.store.database.url,
      redisUrl: redisUrl.href,
      redisPrefix: '',
      leewaySeconds: RIG_LEEWAY_SECONDS,
      issuer: RIG_ISSUER,
      roles: ['user'],
    }
    await withUsers(stores, async (given) => await disableUser(deps(given), 'alice'))
  }
  const commandRow = async (): Promise<CommandRow | undefined> =>
    (
      await rig.store.database.sql<CommandRow>(
        `SELECT seen_at, left_at FROM instances WHERE starts_with(name, 'command ')`,
      )
    )[0]
  const inRedis = async (): Promise<number> => await rig.redis.client.exists(sids.map(denialKey))
  /** The leader hears what Postgres says of the instances, but not of the journal. */
  const failJournal = (isFailing: boolean): void => {
    const fail = async (): Promise<void> => {
      await Promise.reject(new AuthError('unavailable'))
    }
    for (const { hooks } of instances) {
      if (isFailing) hooks.beforeRead = fail
      else delete hooks.beforeRead
    }
  }
  const everybodyTries = async (): Promise<void> => {
    for (const instance of instances) await instance.tick().catch(() => undefined)
  }

  it('stays listed for as long as it lasts, and leaves when Redis has been told everything', async () => {
    const seen: (CommandRow | undefined)[] = []
    await disable(async (batch) => {
      const before = await commandRow()
      seen.push(before)
      // Nobody ticks meanwhile: it says so itself.
      if (batch === 1) {
        await eventually(async () => Number((await commandRow())?.seen_at) > Number(before?.seen_at))
      }
    })

    expect(seen.map((row) => row?.left_at)).to.deep.equal([null, null, null])
    expect((await commandRow())?.left_at).to.be.an.instanceOf(Date)
    expect(await inRedis()).to.equal(SESSIONS)
  })

  it('lets no watermark stand by the word of the others once Redis fails it between two batches', async () => {
    await disable(async (batch) => {
      if (batch !== 1) return
      toRedis.cut()
      // A round that brings the first batch in: from here on the leader has nothing else against the watermarks.
      await ticks.everybodyTicks()
    })
    const told = await inRedis()
    failJournal(true)
    await ticks.shorten()
    await everybodyTries()
    await everybodyTries()

    expect(told).to.equal(BATCH_SESSIONS)
    expect(await ticks.isKept()).to.equal(false)
    expect(await commandRow()).to.include({ left_at: null })
    expect(await rig.missing()).to.deep.equal([])

    await ticks.fall()
    await everybodyTries()
    expect(await rig.syncedCount()).to.equal(0)
    const answers = await answersOf()
    expect(answers).to.deep.equal(new Set(['denied', 'unknown']))

    failJournal(false)
    await ticks.settle()
    expect(await inRedis()).to.equal(SESSIONS)
    expect(await rig.missing()).to.deep.equal([])
    expect(await answersOf()).to.deep.equal(new Set(['denied']))
  })

  async function answersOf(): Promise<Set<string>> {
    const [first] = instances
    return new Set(await Promise.all(sids.map(async (sid) => await first?.check(sid)))) as Set<string>
  }
})
