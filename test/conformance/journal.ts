// What every journal must tell.
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import type { CreateStore, StoreSubject } from './store-subject.ts'

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

    it('denies what has both an expired and a live denial', async () => {
      const sid = uuidv7()
      await store.deny(sid, -1)
      await store.deny(sid, 60_000)

      expect(await store.journal.isDenied({ sid, jti: uuidv4() })).to.equal(true)
    })
  })
}
