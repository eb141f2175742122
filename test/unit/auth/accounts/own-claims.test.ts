// Which claims an operator may have tokens say besides, and where they stand from then on.
import { expect } from 'chai'
import { login } from '../../../../src/auth/sessions/login.ts'
import { parseOwnClaims } from '../../../../src/auth/accounts/own-claims.ts'
import { refresh, refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { setClaims } from '../../../../src/auth/accounts/manage-users.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { claimsOf } from '../../../support/service/environment.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'

describe('parseOwnClaims', () => {
  it('takes a JSON object of any names that mean nothing yet, and the empty one', () => {
    const claims = {
      department: 'sales',
      tenant: { id: 7 },
      'https://example.com/plan': ['a'],
      path: 'C:\\u0000',
    }

    expect(parseOwnClaims(JSON.stringify(claims))).to.deep.equal(claims)
    expect(parseOwnClaims('{}')).to.deep.equal({})
  })

  it('takes 1,024 bytes and no more', () => {
    const ofBytes = (bytes: number) => JSON.stringify({ a: 'é'.repeat((bytes - 8) / 2) })

    expect(Buffer.byteLength(ofBytes(1024))).to.equal(1024)
    expect(parseOwnClaims(ofBytes(1024))).to.have.keys('a')
    expect(() => parseOwnClaims(ofBytes(1026))).to.throw('the claims have 1026 bytes: at most 1024 fit')
  })

  for (const name of [
    ...[
      'iss',
      'sub',
      'aud',
      'exp',
      'nbf',
      'iat',
      'jti',
      'sid',
      'gen',
      'role',
      'scope',
      'client_id',
      'username',
    ],
    ...[
      'typ',
      'token_use',
      'token_type',
      'user_id',
      'azp',
      'acr',
      'amr',
      'auth_time',
      'nonce',
      'at_hash',
      'cnf',
    ],
    ...['act', 'may_act', 'roles', 'groups', 'entitlements', 'claims', 'persistent', '__proto__', 'ISS'],
  ]) {
    it(`refuses the name ${name}`, () => {
      expect(() => parseOwnClaims(`{"a":1,"${name}":1}`)).to.throw(
        `these claims have a meaning already: ${name}`,
      )
    })
  }

  for (const text of ['', 'x', '[]', 'null', '1', '"a"', '{"a":1', "{'a':1}"]) {
    it(`refuses ${text || 'nothing'}, which is no JSON object`, () => {
      expect(() => parseOwnClaims(text)).to.throw(/not JSON|no JSON object/)
    })
  }

  for (const text of ['{"a":"\\ud800"}', '{"\\udfff":1}', '{"a":["\\u0000"]}']) {
    it(`refuses ${text}, which no database holds`, () => {
      expect(() => parseOwnClaims(text)).to.throw('well-formed Unicode')
    })
  }
})

describe('own claims', () => {
  let stores: MemoryStores

  beforeEach(() => {
    stores = memoryStores()
    stores.addUser({ username: 'alice', claims: { department: 'sales' } })
  })

  const logIn = async (rotates: boolean) =>
    await login(stores, { username: 'alice', password: PASSWORD, rotates, caller: CALLER })
  const set = async (json: string) => await setClaims(stores, { username: 'alice', json })

  it('stand in the access token of a login, beside those that are ours', async () => {
    const { access, sid } = await logIn(true)

    expect(claimsOf(access.token)).to.include({
      department: 'sales',
      sid,
      scope: 'user',
      token_type: 'access',
    })
  })

  it('are those of the row at a rotation, and never in a refresh token that rotates', async () => {
    const { refresh: first } = await logIn(true)
    await set('{"team":"red"}')

    const { access, refresh: next } = await refreshRotating(stores, { token: first.token, caller: CALLER })

    expect(claimsOf(access.token)).to.include({ team: 'red' }).and.not.have.property('department')
    for (const { token } of [first, next]) expect(claimsOf(token)).not.to.have.any.keys('claims', 'team')
  })

  it('are those of the login where nothing rotates, until the next login', async () => {
    const { refresh: token } = await logIn(false)
    await set('{"team":"red"}')

    const { access } = await refresh(stores, { token: token.token, caller: CALLER })

    expect(claimsOf(access.token)).to.include({ department: 'sales' }).and.not.have.property('team')
    expect(claimsOf((await logIn(false)).access.token)).to.include({ team: 'red' })
  })

  it('leave no trace in the tokens of a user without any', async () => {
    await set('{}')

    const { access, refresh: token } = await logIn(false)

    expect(claimsOf(access.token)).not.to.have.any.keys('claims', 'department')
    expect(claimsOf(token.token)).not.to.have.property('claims')
  })

  it('end no session, and are told by their names alone', async () => {
    const { sid } = await logIn(true)

    expect(await set('{"team":"red","desk":4}')).to.deep.equal({ team: 'red', desk: 4 })

    expect(await stores.sessions.find(sid)).not.to.equal(null)
    expect(stores.database.logs.at(-1)).to.deep.include({ type: 'CLAIMS_CHANGED', message: 'team, desk' })
  })

  it('never take the place of a claim of ours, also where the store holds such a name', async () => {
    for (const user of stores.database.users) user.claims = { sub: 'mallory', exp: 9_999_999_999 }

    const { access, user } = await logIn(true)

    const claims = claimsOf(access.token)
    expect(claims['sub']).to.equal(user.id)
    expect(claims['exp']).to.be.below(9_999_999_999)
  })

  it('say so when there is no such user', async () => {
    const error = await setClaims(stores, { username: 'bob', json: '{}' }).catch(
      (failure: unknown) => failure,
    )

    expect((error as Error).message).to.equal('there is no user bob')
  })
})
