// What a peer is told of a token.
import { expect } from 'chai'
import { introspect, type IntrospectDeps } from '../../../../src/auth/tokens/introspect.ts'
import { logout } from '../../../../src/auth/sessions/logout.ts'
import { usernameCache } from '../../../../src/store/username-cache.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { loggedIn, type LoggedIn } from '../../../support/builders/logged-in.ts'
import { memoryStores, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('introspect', () => {
  let deps: MemoryStores & IntrospectDeps
  let alice: LoggedIn

  beforeEach(async () => {
    const stores = memoryStores()
    deps = { ...stores, usernames: usernameCache(stores.users) }
    deps.addUser({ username: 'alice' })
    alice = await loggedIn(deps)
  })

  it('resolves to the claims of a live access token, and the name of its user', async () => {
    expect(await introspect(deps, alice.access)).to.deep.equal({ claims: alice.claims, username: 'alice' })
  })

  it('resolves to nothing for everything else', async () => {
    expect(await introspect(deps, alice.refresh)).to.equal(null)
    for (const garbage of ['', 'a.b.c', `${alice.access}x`, '\0']) {
      expect(await introspect(deps, garbage), garbage).to.equal(null)
    }
  })

  it('resolves to nothing once the token has expired', async () => {
    deps.clock.advance(alice.claims.exp - alice.claims.iat + deps.leewaySeconds)

    expect(await introspect(deps, alice.access)).to.equal(null)
  })

  it('resolves to nothing once the session is over', async () => {
    await logout(deps, { refreshToken: alice.refresh, caller: CALLER })

    expect(await introspect(deps, alice.access)).to.equal(null)
  })

  it('does without the name where Postgres is away, and with it where it was asked before', async () => {
    deps.database.isAnswering = false
    const unnamed = await introspect(deps, alice.access)
    deps.database.isAnswering = true
    deps.usernames = usernameCache(deps.users)
    await introspect(deps, alice.access)
    deps.database.isAnswering = false

    expect(unnamed).to.deep.equal({ claims: alice.claims, username: null })
    expect(await introspect(deps, alice.access)).to.deep.equal({ claims: alice.claims, username: 'alice' })
  })

  it('cannot tell when neither the denylist nor the journal can', async () => {
    deps.denylist.isAnswering = false
    deps.database.isAnswering = false

    expect(await refusalOf(introspect(deps, alice.access))).to.equal('unavailable')
  })
})
