// A user with thousands of sessions: everything that ends them all does it, in batches that each are durable by themselves.
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { changePassword } from '../../../../src/auth/accounts/change-password.ts'
import { endAllSessions, endOtherSessions } from '../../../../src/auth/sessions/end-session.ts'
import type { Account } from '../../../../src/auth/ports/accounts.ts'
import type { Denial } from '../../../../src/auth/ports/denials.ts'
import type { NewSession } from '../../../../src/auth/ports/sessions.ts'
import { removeAccount } from '../../../../src/auth/accounts/remove-account.ts'
import { disableUser, setPassword, setRole } from '../../../../src/auth/accounts/manage-users.ts'
import type { AccessClaims } from '../../../../src/contract/claims.ts'
import { BATCH_SESSIONS } from '../../../../src/store/postgres/end-many.ts'
import { logEntry, CALLER } from '../../../support/builders/account.ts'
import { newSession } from '../../../support/builders/new-session.ts'
import { liveIds, storedUser } from '../../../support/builders/stored-session.ts'
import { fastHash } from '../../../support/fakes/fast-passwords.ts'
import { memoryStores, PASSWORD } from '../../../support/fakes/memory-stores.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

const SESSIONS = 3000
const NEW_PASSWORD = 'incorrect zebra capacitor pin'

interface World {
  user: Account
  /** Of the session that asks, the last one of them. */
  claims: AccessClaims
}

describe('a user with 3,000 sessions', () => {
  let store: PostgresStoreSubject
  let world: World
  let bob: string
  /** What the denylist was told, batch by batch. */
  let told: Denial[][]

  beforeEach(async () => {
    store = await postgresStoreSubject()
    const user = await storedUser(store, { username: 'alice', passwordHash: fastHash(PASSWORD) })
    await store.database.sql(
      `INSERT INTO user_sessions (id, user_id, refresh_jti_hash, expires_at, ip_address)
       SELECT overlay(gen_random_uuid()::text PLACING '018f0000-0000-7' FROM 1 FOR 15)::uuid, $1, '\\x00',
              now() + interval '1 hour', '::1'
       FROM generate_series(2, $2)`,
      [user.id, SESSIONS],
    )
    const asking = await begin(user)
    bob = (await begin(await storedUser(store))).id
    await store.database.sql('ANALYZE user_sessions')
    world = { user, claims: claimsOf(user, asking.id) }
    told = []
  })
  afterEach(async () => {
    await store.close()
  })

  const hear = async (denials: Denial[]) => {
    told.push(denials)
    await Promise.resolve()
  }

  const deps = (deny = hear) => {
    const memory = memoryStores()
    const { sessions, users, userAdmin, ownAccount, auditLog } = store
    return {
      ...memory,
      ...{ sessions, users, userAdmin, ownAccount, auditLog, now: () => Math.floor(Date.now() / 1000) },
      isCommonPassword: () => false,
      roles: ['user', 'admin'],
      denylist: { ...memory.denylist, deny, tell: deny },
    }
  }

  const ENDS: Record<string, { end: (used: ReturnType<typeof deps>) => Promise<unknown>; left: number }> = {
    'a logout of all devices': {
      end: async (used) => {
        await endAllSessions(used, { claims: world.claims, caller: CALLER })
      },
      left: 0,
    },
    'a logout of the other devices': {
      end: async (used) => {
        await endOtherSessions(used, { claims: world.claims, caller: CALLER })
      },
      left: 1,
    },
    'a change of password': {
      end: async (used) => {
        const passwords = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD }
        await changePassword(used, { claims: world.claims, ...passwords, caller: CALLER })
      },
      left: 1,
    },
    'a deletion': {
      end: async (used) => {
        await removeAccount(used, { claims: world.claims, password: PASSWORD, caller: CALLER })
      },
      left: 0,
    },
    'an operator who disables the user': {
      end: async (used) => await disableUser(used, 'alice'),
      left: 0,
    },
    'an operator who sets a role': {
      end: async (used) => await setRole(used, { username: 'alice', role: 'admin' }),
      left: 0,
    },
    'an operator who sets a password': {
      end: async (used) => await setPassword(used, { username: 'alice', password: NEW_PASSWORD }),
      left: 0,
    },
  }

  for (const [name, { end, left }] of Object.entries(ENDS)) {
    it(`has all of them ended by ${name}, in batches, and bob's goes on`, async () => {
      const before = (await store.entries()).length

      await end(deps())

      expect(await liveIds(store, world.user.id)).to.deep.equal(left === 1 ? [world.claims.sid] : [])
      expect(await denials()).to.equal(SESSIONS - left)
      expect(new Set(told.flat().map(({ id }) => id)).size).to.equal(SESSIONS - left)
      expect(Math.max(...told.map(({ length }) => length))).to.be.at.most(BATCH_SESSIONS)
      expect(await store.sessions.find(bob)).not.to.equal(null)
      expect((await store.entries()).length).to.equal(before + 1)
    })

    it(`has ${name} succeed when it is asked again after a failure in the middle`, async () => {
      let batches = 0
      const failing = deps(async (denials) => {
        told.push(denials)
        await (batches++ < 2 ? Promise.resolve() : Promise.reject(new Error('no Redis')))
      })

      const first = await end(failing).then(
        () => 'resolved',
        () => 'rejected',
      )
      const between = await denials()
      await end(deps())

      expect(first).to.equal('rejected')
      expect(between).to.equal(3 * BATCH_SESSIONS)
      expect(await denials()).to.equal(SESSIONS - left)
      expect(await liveIds(store, world.user.id)).to.deep.equal(left === 1 ? [world.claims.sid] : [])
    })
  }

  it('has all of them ended by two devices that log all out at once', async () => {
    const other = await begin(world.user)
    const both = [world.claims, claimsOf(world.user, other.id)]

    const answers = await Promise.all(
      both.map(async (claims) => await refusalOf(endAllSessions(deps(), { claims, caller: CALLER }))),
    )

    expect(answers).to.include('resolved')
    expect(await liveIds(store, world.user.id)).to.deep.equal([])
    expect(await denials()).to.equal(SESSIONS + 1)
  })

  it('has none of them found by sorting, nor by reading those that are over', async () => {
    await store.database.sql(
      `UPDATE user_sessions SET ended_at = now() WHERE user_id = $1 AND id IN (
         SELECT id FROM user_sessions WHERE user_id = $1 ORDER BY id LIMIT 1000)`,
      [world.user.id],
    )
    for (const order of ['ASC', 'DESC']) {
      const [row] = await store.database.sql<{ 'QUERY PLAN': unknown }>(
        `EXPLAIN (FORMAT JSON) SELECT id FROM user_sessions
         WHERE user_id = '${world.user.id}' AND ended_at IS NULL AND expires_at > now()
         ORDER BY id ${order} LIMIT ${BATCH_SESSIONS}`,
      )

      const plan = JSON.stringify(row?.['QUERY PLAN'])
      expect(plan).to.include('user_sessions_live_index')
      expect(plan).not.to.include('"Sort"')
    }
  })

  /** As if there were no bound. */
  async function begin(user: Account): Promise<NewSession> {
    const session = newSession(user, Math.floor(Date.now() / 1000) + 3600, { maxSessions: 10_000 })
    expect(await store.sessions.begin(session, logEntry('USER_LOGIN'))).to.deep.equal([])
    return session
  }

  async function denials(): Promise<number> {
    const [row] = await store.database.sql<{ count: number }>(
      'SELECT count(*)::int AS count FROM revocations',
    )
    return row?.count ?? 0
  }
})

function claimsOf(user: Account, sid: string): AccessClaims {
  const iat = Math.floor(Date.now() / 1000)
  return {
    ...{ iss: 'https://auth.example', aud: 'test', sub: user.id, jti: uuidv4(), sid, iat, exp: iat + 300 },
    ...{ scope: 'user', token_type: 'access', client_id: uuidv7(), user_id: user.id },
  }
}
