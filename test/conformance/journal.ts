// What every journal must tell.
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { logEntry, CALLER } from '../support/builders/account.ts'
import { idsOf, logOut, storedSession, storedUser } from '../support/builders/stored-session.ts'
import { CLOCK_TOLERANCE_MS, type CreateStore, type StoreSubject } from './store-subject.ts'

export function journalConformance(name: string, create: CreateStore): void {
  describe(`${name} as Journal`, () => {
    let store: StoreSubject

    beforeEach(async () => {
      store = await create()
    })
    afterEach(async () => {
      await store.close()
    })

    it('denies nothing that nobody denied', async () => {
      await store.deny(uuidv7(), 60_000)

      expect(await store.journal.isDenied({ sid: uuidv7(), jti: uuidv4() })).to.equal(false)
    })

    it('denies every token of a denied session', async () => {
      const sid = uuidv7()
      await store.deny(sid, 60_000)

      expect(await store.journal.isDenied({ sid, jti: uuidv4() })).to.equal(true)
      expect(await store.journal.isDenied({ sid, jti: uuidv4() })).to.equal(true)
    })

    it('denies one token of a session and not the others', async () => {
      const [sid, jti] = [uuidv7(), uuidv4()]
      await store.deny(`${sid}:${jti}`, 60_000)

      expect(await store.journal.isDenied({ sid, jti })).to.equal(true)
      expect(await store.journal.isDenied({ sid, jti: uuidv4() })).to.equal(false)
      expect(await store.journal.isDenied({ sid: uuidv7(), jti })).to.equal(false)
    })

    it('forgets a denial whose time is over', async () => {
      const sid = uuidv7()
      await store.deny(sid, -1)

      expect(await store.journal.isDenied({ sid, jti: uuidv4() })).to.equal(false)
    })

    it('tells the denial of one session, and those of all that a user has had, page by page', async () => {
      const [user, somebodyElse] = [await storedUser(store), await storedUser(store, { username: 'bob' })]
      const [first, second] = [await storedSession(store, user), await storedSession(store, user)]
      const other = await storedSession(store, somebodyElse)
      await storedSession(store, user)
      for (const session of [first, second, other]) await logOut(store, session)

      const page = async (after: string | null) =>
        idsOf(await store.journal.denialsOfUser({ userId: user.id, after, limit: 1 }))
      const ofOne = await store.journal.denialOf(first.id)
      const ofUser = [await page(null), await page(first.id), await page(second.id)]
      const ofNobody = await store.journal.denialOf(uuidv7())

      expect(ofOne?.id).to.equal(first.id)
      expect(ofOne?.ttlMs).to.be.above(0)
      expect(ofUser).to.deep.equal([[first.id], [second.id], []])
      expect(ofNobody).to.equal(null)
    })

    describe('deny', () => {
      const ENTRY = logEntry('USER_LOGOUT', { message: 'a token of https://login.example' })
      /** Epoch seconds; asked for once, or the same token would seem to live longer the next time. */
      let startedAt: number
      beforeEach(() => {
        startedAt = Math.floor(store.nowMs() / 1000)
      })

      /** As foreign tokens are named. */
      const foreignId = () => createHash('sha256').update(uuidv4()).digest('hex')
      const isDenied = async (id: string) => await store.journal.isDenied({ sid: id, jti: uuidv4() })
      const deny = async (id: string, livesSeconds = 3600) =>
        await store.journal.deny({ id, expiresAt: startedAt + livesSeconds }, ENTRY)

      it('denies a foreign token while it lives, and the leeway', async () => {
        const id = foreignId()

        const denial = await deny(id, 600)

        expect(denial?.id).to.equal(id)
        expect(denial?.ttlMs).to.be.closeTo((600 + store.leewaySeconds) * 1000, CLOCK_TOLERANCE_MS)
        expect(await isDenied(id)).to.equal(true)
        expect(await isDenied(foreignId())).to.equal(false)
      })

      it('writes one entry, about nobody of ours', async () => {
        await deny(foreignId())

        expect(await store.entries()).to.deep.equal([
          {
            type: 'USER_LOGOUT',
            userId: null,
            sessionId: null,
            ...CALLER,
            message: 'a token of https://login.example',
          },
        ])
      })

      it('is null for what is denied already, and writes nothing', async () => {
        const id = foreignId()
        await deny(id)

        const again = await deny(id)

        expect(again).to.equal(null)
        expect(await isDenied(id)).to.equal(true)
        expect(await store.entries()).to.have.length(1)
      })

      it('denies longer where a token of the same id lives longer, and again when the denial is over', async () => {
        const id = foreignId()
        await deny(id, -60)

        const again = await deny(id, 600)
        const longer = await deny(id, 1200)
        const shorter = await deny(id, 600)

        expect(again?.ttlMs).to.be.closeTo((600 + store.leewaySeconds) * 1000, CLOCK_TOLERANCE_MS)
        expect(longer?.ttlMs).to.be.closeTo((1200 + store.leewaySeconds) * 1000, CLOCK_TOLERANCE_MS)
        expect(shorter).to.equal(null)
        expect(await isDenied(id)).to.equal(true)
      })

      it('lets one of twenty racing callers win, and writes one entry', async () => {
        const id = foreignId()

        const results = await Promise.all(Array.from({ length: 20 }, async () => await deny(id)))

        expect(results.filter((denial) => denial !== null)).to.have.length(1)
        expect(await store.entries()).to.have.length(1)
      })

      it('denies while no log entry can be written', async () => {
        const id = foreignId()
        await store.breakEntries()

        const denial = await deny(id)

        expect(denial?.id).to.equal(id)
        expect(await isDenied(id)).to.equal(true)
        expect(await deny(id)).to.equal(null)
      })
    })
  })
}
