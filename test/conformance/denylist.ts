// What every denylist must answer.
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import type { Denylist } from '../../src/auth/ports/denials.ts'

export interface DenylistSubject {
  /** Empty, and known to agree with the journal. */
  denylist: Denylist
  /** Lets that much time go by. */
  pass(ms: number): Promise<void>
  /** Makes it forget everything. */
  empty(): Promise<void>
  /** Cuts it off from what it stands on. */
  cutOff(): Promise<void>
  close(): Promise<void>
}

export function denylistConformance(name: string, create: () => Promise<DenylistSubject>): void {
  describe(`${name} as Denylist`, () => {
    let subject: DenylistSubject
    let denylist: Denylist

    beforeEach(async () => {
      subject = await create()
      denylist = subject.denylist
    })
    afterEach(async () => {
      await subject.close()
    })

    it('answers live where nothing is denied', async () => {
      expect(await denylist.check({ sid: uuidv7(), jti: uuidv4() })).to.equal('live')
    })

    it('denies every token of a denied session', async () => {
      const sid = uuidv7()

      await denylist.deny([{ id: sid, ttlMs: 60_000 }])

      expect(await denylist.check({ sid, jti: uuidv4() })).to.equal('denied')
      expect(await denylist.check({ sid: uuidv7(), jti: uuidv4() })).to.equal('live')
    })

    it('denies one token of a session and not the others', async () => {
      const [sid, jti] = [uuidv7(), uuidv4()]

      await denylist.deny([{ id: `${sid}:${jti}`, ttlMs: 60_000 }])

      expect(await denylist.check({ sid, jti })).to.equal('denied')
      expect(await denylist.check({ sid, jti: uuidv4() })).to.equal('live')
    })

    it('takes many denials at once, and none', async () => {
      const sids = Array.from({ length: 300 }, () => uuidv7())

      await denylist.deny([])
      await denylist.deny(sids.map((id) => ({ id, ttlMs: 60_000 })))

      const answers = await Promise.all(sids.map(async (sid) => await denylist.check({ sid, jti: uuidv4() })))
      expect(new Set(answers)).to.deep.equal(new Set(['denied']))
    })

    it('forgets a denial when its time is over, and not before', async () => {
      const [short, long] = [uuidv7(), uuidv7()]
      await denylist.deny([
        { id: short, ttlMs: 300_000 },
        { id: long, ttlMs: 900_000 },
      ])

      const before = await denylist.check({ sid: short, jti: uuidv4() })
      await subject.pass(301_000)

      expect(before).to.equal('denied')
      expect(await denylist.check({ sid: short, jti: uuidv4() })).to.equal('live')
      expect(await denylist.check({ sid: long, jti: uuidv4() })).to.equal('denied')
    })

    it('passes over a denial whose time is over already, and writes the ones beside it', async () => {
      const [past, present] = [uuidv7(), uuidv7()]

      await denylist.deny([
        { id: past, ttlMs: -5000 },
        { id: past, ttlMs: 0 },
        { id: present, ttlMs: 60_000.75 },
      ])

      expect(await denylist.check({ sid: past, jti: uuidv4() })).to.equal('live')
      expect(await denylist.check({ sid: present, jti: uuidv4() })).to.equal('denied')
    })

    it('answers unknown, not live, once it was emptied', async () => {
      const sid = uuidv7()
      await denylist.deny([{ id: sid, ttlMs: 60_000 }])

      await subject.empty()

      expect(await denylist.check({ sid, jti: uuidv4() })).to.equal('unknown')
      expect(await denylist.check({ sid: uuidv7(), jti: uuidv4() })).to.equal('unknown')
    })

    it('answers unknown, and rejects nothing, when it is cut off', async () => {
      await subject.cutOff()

      await denylist.deny([{ id: uuidv7(), ttlMs: 60_000 }])

      expect(await denylist.check({ sid: uuidv7(), jti: uuidv4() })).to.equal('unknown')
    })
  })
}
