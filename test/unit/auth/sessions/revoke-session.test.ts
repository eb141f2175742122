// Revoking a session from another device: one's own, and no other.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { revokeSession } from '../../../../src/auth/sessions/revoke-session.ts'
import { authenticate } from '../../../../src/auth/tokens/verify-access.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { liveSessions, loggedIn, type LoggedIn } from '../../../support/builders/logged-in.ts'
import { loggedInTwice } from '../../../support/builders/logged-in-twice.ts'
import type { MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('revoke session', () => {
  let stores: MemoryStores
  let here: LoggedIn
  let elsewhere: LoggedIn

  beforeEach(async () => {
    ;({ stores, here, elsewhere } = await loggedInTwice())
  })

  const ask = async (sessionId = elsewhere.claims.sid) => {
    await revokeSession(stores, { claims: here.claims, sessionId, caller: CALLER })
  }

  it('ends that session, both tokens of it, and no other', async () => {
    await ask()

    const { access, refresh: token } = elsewhere
    expect(liveSessions(stores)).to.deep.equal([here.claims.sid])
    expect(await refusalOf(authenticate(stores, access))).to.equal('token_denied')
    expect(await refusalOf(refreshRotating(stores, { token, caller: CALLER }))).to.equal('token_denied')
    expect(await refusalOf(authenticate(stores, here.access))).to.equal('resolved')
  })

  it('writes one entry, of the session that ended, with the one that asked', async () => {
    await ask()

    expect(stores.database.logs.at(-1)).to.deep.equal({
      type: 'SESSION_REVOKED',
      caller: CALLER,
      userId: here.claims.sub,
      sessionId: elsewhere.claims.sid,
      message: `from session ${here.claims.sid}`,
    })
  })

  it('takes the id in capitals too', async () => {
    expect(await refusalOf(ask(elsewhere.claims.sid.toUpperCase()))).to.equal('resolved')
  })

  it('may end the session that asks', async () => {
    await ask(here.claims.sid)

    expect(await refusalOf(authenticate(stores, here.access))).to.equal('token_denied')
  })

  it('is session_not_found for whatever is no live session of the user', async () => {
    stores.addUser({ username: 'bob' })
    const bob = await loggedIn(stores, 'bob')
    await ask()

    for (const sessionId of [elsewhere.claims.sid, bob.claims.sid, uuidv7(), 'no uuid', '']) {
      expect(await refusalOf(ask(sessionId)), sessionId).to.equal('session_not_found')
    }
    expect(liveSessions(stores)).to.deep.equal([here.claims.sid, bob.claims.sid])
  })

  it('asks no store about what is no id, and is unavailable where it has to', async () => {
    stores.database.isAnswering = false

    expect(await refusalOf(ask('no uuid'))).to.equal('session_not_found')
    expect(await refusalOf(ask())).to.equal('unavailable')
  })
})
