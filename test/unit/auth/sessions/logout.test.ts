// Logout: durable first, then everywhere; never half done in silence.
import { expect } from 'chai'
import { v4 as uuidv4 } from 'uuid'
import type { Denial, Denylist } from '../../../../src/auth/ports/denials.ts'
import { login } from '../../../../src/auth/sessions/login.ts'
import { logout, type LogoutDeps } from '../../../../src/auth/sessions/logout.ts'
import { refresh, refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { verifyToken } from '../../../../src/auth/tokens/verify-token.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { grant } from '../../../support/builders/test-keys.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('logout', () => {
  let stores: MemoryStores
  let pair: Pair
  let sid: string

  beforeEach(async () => {
    stores = memoryStores()
    stores.addUser({ username: 'alice' })
    pair = await pairOf(stores)
    sid = stores.tokens.verify(pair.refresh).sid
  })

  const ask = async (refreshToken = pair.refresh, deps: Partial<LogoutDeps> = {}) => {
    await logout({ ...stores, ...deps }, { refreshToken, caller: CALLER })
  }

  const refreshed = async (token: string) => await refresh(stores, { token, caller: CALLER })

  /** The denylist, with what it was told. */
  const listening = (onDeny: (denials: Denial[]) => void): Denylist => ({
    ...stores.denylist,
    deny: async (denials) => {
      onDeny(denials)
      await stores.denylist.deny(denials)
    },
  })

  it('ends the session for both of its tokens', async () => {
    await ask()

    expect(await refusalOf(refreshed(pair.refresh))).to.equal('token_denied')
    expect(await refusalOf(verifyToken(stores, pair.refresh))).to.equal('token_denied')
    expect(await refusalOf(verifyToken(stores, pair.access))).to.equal('token_denied')
  })

  it('ends the session for access tokens that were refreshed before', async () => {
    const { access } = await refresh(stores, { token: pair.refresh, caller: CALLER })

    await ask()

    expect(await refusalOf(verifyToken(stores, access.token))).to.equal('token_denied')
  })

  it('leaves the other sessions of the user alone', async () => {
    const other = await pairOf(stores)

    await ask()

    expect(await refusalOf(refreshed(other.refresh))).to.equal('resolved')
  })

  it('writes one entry, of the logout', async () => {
    await ask()

    const [{ id: userId } = { id: '' }] = stores.database.users
    expect(stores.database.logs.slice(1)).to.deep.equal([
      { type: 'USER_LOGOUT', caller: CALLER, userId, sessionId: sid },
    ])
  })

  it('is durable in the journal before the denylist hears of it', async () => {
    const journalSaid: (string | null | undefined)[] = []
    const denylist = listening(() => journalSaid.push(stores.database.sessions[0]?.endReason))

    await ask(pair.refresh, { denylist })

    expect(journalSaid).to.deep.equal(['logout'])
  })

  it('tells the denylist what the journal said, and nothing of its own', async () => {
    const told: Denial[][] = []
    stores.clock.advance(100)

    await ask(pair.refresh, { denylist: listening((denials) => told.push(denials)) })

    expect(told).to.deep.equal([[{ id: sid, ttlMs: (86_400 - 100 + 5) * 1000 }]])
  })

  it('holds while the denylist cannot be written', async () => {
    stores.denylist.isAnswering = false

    await ask()

    expect(await refusalOf(refreshed(pair.refresh))).to.equal('token_denied')
  })

  it('holds after the denylist was emptied', async () => {
    await ask()

    stores.denylist.empty()

    expect(await refusalOf(refreshed(pair.refresh))).to.equal('token_denied')
  })

  it('is token_denied the second time, and changes nothing', async () => {
    await ask()
    const revocations = [...stores.database.revocations]
    const logs = [...stores.database.logs]

    const answer = await refusalOf(ask())

    expect(answer).to.equal('token_denied')
    expect(stores.database.revocations).to.deep.equal(revocations)
    expect(stores.database.logs).to.deep.equal(logs)
  })

  it('lets one of twenty racing callers succeed', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, async () => await refusalOf(ask())))

    expect(answers.filter((answer) => answer === 'resolved')).to.have.length(1)
    expect(answers.filter((answer) => answer === 'token_denied')).to.have.length(19)
  })

  it('works until the leeway after its end is over, and is token_expired from then on', async () => {
    stores.clock.advance(86_400 + 4)
    const inLeeway = await refusalOf(ask())
    stores.clock.advance(1)
    const after = await refusalOf(ask())

    expect([inLeeway, after]).to.deep.equal(['resolved', 'token_expired'])
  })

  it('is done where the row of the session is lost, and refuses its tokens from then on', async () => {
    stores.database.sessions.length = 0

    const answers = [await refusalOf(ask()), await refusalOf(ask())]

    expect(answers).to.deep.equal(['resolved', 'token_denied'])
    expect(await refusalOf(refreshed(pair.refresh))).to.equal('token_denied')
  })

  it('is done for a session of which nobody knows any more, under the id that the token names', async () => {
    const { token } = stores.tokens.signRefresh(grant(), false)

    expect(await refusalOf(ask(token))).to.equal('resolved')
    expect([...stores.denylist.denials.keys()]).to.deep.equal([stores.tokens.verify(token).sid])
  })

  const unusable = [
    { what: 'an access token', code: 'token_wrong_type', of: () => pair.access },
    { what: 'garbage', code: 'token_invalid', of: () => 'garbage' },
    { what: 'an altered token', code: 'token_invalid', of: () => altered(pair.refresh) },
  ]
  for (const { what, code, of } of unusable) {
    it(`is ${code} for ${what}, and touches neither journal nor denylist`, async () => {
      const told: Denial[][] = []
      const denylist = listening((denials) => told.push(denials))

      const answer = await refusalOf(ask(of(), { denylist }))

      expect(answer).to.equal(code)
      expect(told).to.deep.equal([])
      expect(stores.database.revocations).to.deep.equal([])
    })
  }

  it('ends a session that rotates, asked with a token that was replaced long ago', async () => {
    const { refresh: first } = await pairOf(stores, true)
    const { refresh: second } = await refreshRotating(stores, { token: first, caller: CALLER })
    const { refresh: third } = await refreshRotating(stores, { token: second.token, caller: CALLER })
    stores.clock.advance(stores.rotationGraceSeconds + 1)

    await ask(first)

    const again = await refusalOf(refreshRotating(stores, { token: third.token, caller: CALLER }))
    expect(again).to.equal('token_denied')
    expect(stores.database.sessions.map(({ endReason }) => endReason)).to.deep.equal([null, 'logout'])
  })

  describe('while the journal cannot be written', () => {
    beforeEach(() => {
      stores.database.isAnswering = false
    })

    it('is unavailable, and the denylist is told all the same, for as long as the token lives', async () => {
      stores.clock.advance(100)

      const answer = await refusalOf(ask())

      expect(answer).to.equal('unavailable')
      expect(await stores.denylist.check({ sid, jti: uuidv4() })).to.equal('denied')
      expect(stores.denylist.denials.get(sid)).to.equal(stores.clock.nowMs() + (86_400 - 100 + 5) * 1000)
    })

    it('is unavailable when the denylist cannot be written either', async () => {
      stores.denylist.isAnswering = false

      expect(await refusalOf(ask())).to.equal('unavailable')
    })

    it('can be asked again when the journal is back, and is then durable', async () => {
      await refusalOf(ask())
      stores.database.isAnswering = true

      const answer = await refusalOf(ask())

      expect(answer).to.equal('resolved')
      expect(await stores.journal.isDenied({ sid, jti: uuidv4() })).to.equal(true)
    })
  })

  it('passes a defect of the store on, as it is', async () => {
    const defect = new TypeError('a defect')
    const sessions = { ...stores.sessions, end: async () => await Promise.reject(defect) }

    const error = await ask(pair.refresh, { sessions }).catch((caught: unknown) => caught)

    expect(error).to.equal(defect)
  })
})

interface Pair {
  access: string
  refresh: string
}

async function pairOf(stores: MemoryStores, rotates = false): Promise<Pair> {
  const input = { username: 'alice', password: PASSWORD, rotates, caller: CALLER }
  const { access, refresh: signed } = await login(stores, input)
  return { access: access.token, refresh: signed.token }
}

/** With one letter of the signature changed. */
function altered(token: string): string {
  const at = token.lastIndexOf('.') + 5
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}
