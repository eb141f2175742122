// What every store of sessions must do when a refresh token takes the place of another.
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import type { LiveSession, NewSession, Rotation } from '../../src/auth/ports/sessions.ts'
import { logOut, storedSession, storedUser } from '../support/builders/stored-session.ts'
import { logEntry } from '../support/builders/account.ts'
import { allEnded } from '../support/builders/ended-sessions.ts'
import { CLOCK_TOLERANCE_MS, type CreateStore, type StoreSubject } from './store-subject.ts'

const DAY_SECONDS = 86_400

/** Without what goes on by itself. */
const atRest = (session: LiveSession | null | undefined) => session && { ...session, sinceRotationMs: null }

export function sessionRotationConformance(name: string, create: CreateStore): void {
  describe(`${name} as Sessions that rotate`, () => {
    let store: StoreSubject

    beforeEach(async () => {
      store = await create()
    })
    afterEach(async () => {
      await store.close()
    })

    const begun = async (livesSeconds = 3600): Promise<NewSession> =>
      await storedSession(store, await storedUser(store), livesSeconds)

    /** One step from `generation`, without touching the end of the session unless `parts` say so. */
    function rotation(session: NewSession, generation: number, parts: Partial<Rotation> = {}): Rotation {
      return {
        sessionId: session.id,
        generation,
        refreshJti: uuidv4(),
        rotatedAtMs: Math.floor(store.nowMs()),
        expiresAt: session.expiresAt,
        maxAgeSeconds: 30 * DAY_SECONDS,
        ...parts,
      }
    }

    it('takes a live session to the next generation, and tells what its row says then', async () => {
      const session = await begun()
      const rotatedAtMs = Math.floor(store.nowMs()) - 1234
      const expiresAt = session.expiresAt + 1000

      const rotated = await store.sessions.rotate(rotation(session, 0, { rotatedAtMs, expiresAt }))

      expect(rotated?.session).to.include({ generation: 1, rotatedAtMs, expiresAt })
      expect(rotated?.session.sinceRotationMs).to.be.within(0, CLOCK_TOLERANCE_MS)
      expect(rotated?.session.createdAt).to.be.closeTo(store.nowMs() / 1000, CLOCK_TOLERANCE_MS / 1000)
      expect(rotated?.denials).to.deep.equal([])
      expect(atRest(await store.sessions.find(session.id))).to.deep.equal(atRest(rotated?.session))
    })

    it('goes on from each generation to the next', async () => {
      const session = await begun()

      const generations = []
      for (const generation of [0, 1, 2]) {
        const rotated = await store.sessions.rotate(rotation(session, generation))
        generations.push(rotated?.session.generation)
      }

      expect(generations).to.deep.equal([1, 2, 3])
    })

    it('writes no entry', async () => {
      const session = await begun()
      const before = await store.entries()

      await store.sessions.rotate(rotation(session, 0))

      expect(await store.entries()).to.deep.equal(before)
    })

    it('leaves the other sessions of the user as they are', async () => {
      const session = await begun()
      const other = await storedSession(store, session.account)

      await store.sessions.rotate(rotation(session, 0))

      expect(await store.sessions.find(other.id)).to.include({ generation: 0, rotatedAtMs: null })
    })

    it('goes up to the generation of a token that is newer than the row, and one further', async () => {
      const session = await begun()
      await store.sessions.rotate(rotation(session, 0))
      const rotatedAtMs = Math.floor(store.nowMs()) - 1234

      const rotated = await store.sessions.rotate(rotation(session, 7, { rotatedAtMs }))

      expect(rotated?.session).to.include({ generation: 8, rotatedAtMs })
      expect(rotated?.session.sinceRotationMs).to.be.within(0, CLOCK_TOLERANCE_MS)
      expect(atRest(await store.sessions.find(session.id))).to.deep.equal(atRest(rotated?.session))
      for (const generation of [0, 1, 6, 7]) {
        expect(await store.sessions.rotate(rotation(session, generation)), `${generation}`).to.equal(null)
      }
    })

    it('is null at a generation that the session is beyond, and changes nothing', async () => {
      const session = await begun()
      await store.sessions.rotate(rotation(session, 0))
      const before = await store.sessions.find(session.id)

      for (const generation of [0, -1]) {
        expect(await store.sessions.rotate(rotation(session, generation)), `${generation}`).to.equal(null)
      }

      expect(atRest(await store.sessions.find(session.id))).to.deep.equal(atRest(before))
    })

    it('is null for a session that is over: ended, expired, lost, or never there', async () => {
      const [ended, expired, lost] = [await begun(), await begun(-60), await begun()]
      await logOut(store, ended)
      await store.loseSession(lost.id)
      const longer = { expiresAt: ended.expiresAt + DAY_SECONDS }

      for (const session of [ended, expired, lost, { ...ended, id: uuidv7() }]) {
        expect(await store.sessions.rotate(rotation(session, 0, longer))).to.equal(null)
        expect(await store.sessions.find(session.id)).to.equal(null)
      }
    })

    it('goes on within the leeway after its end, and not beyond', async () => {
      const [within, beyond] = [await begun(2 - store.leewaySeconds), await begun(-1 - store.leewaySeconds)]
      const longer = { expiresAt: within.expiresAt + DAY_SECONDS }

      expect(await store.sessions.rotate(rotation(beyond, 0, longer))).to.equal(null)
      expect((await store.sessions.rotate(rotation(within, 0, longer)))?.session).to.include(longer)
    })

    it('never makes a session shorter', async () => {
      const session = await begun()

      const rotated = await store.sessions.rotate(
        rotation(session, 0, { expiresAt: session.expiresAt - 600, maxAgeSeconds: 1 }),
      )

      expect(rotated?.session.expiresAt).to.equal(session.expiresAt)
    })

    it('makes no session longer than its greatest age', async () => {
      const session = await begun()

      const rotated = await store.sessions.rotate(
        rotation(session, 0, { expiresAt: session.expiresAt + DAY_SECONDS, maxAgeSeconds: 7200 }),
      )

      const { createdAt = 0, expiresAt } = rotated?.session ?? {}
      expect(expiresAt).to.equal(Math.floor(createdAt) + 7200)
    })

    it('makes the denial of a session last as long as its newest token', async () => {
      const session = await begun(600)
      await store.sessions.rotate(rotation(session, 0, { expiresAt: session.expiresAt + 600 }))

      const denial = await logOut(store, session)

      expect(denial?.ttlMs).to.be.closeTo((1200 + store.leewaySeconds) * 1000, CLOCK_TOLERANCE_MS)
    })

    it('denies the token that it retires for what is left of that and the leeway, and no other', async () => {
      const session = await begun()
      const retired = { jti: session.refreshJti, expiresAt: session.expiresAt - 3000 }
      const expiresAt = session.expiresAt + 1000

      const rotated = await store.sessions.rotate(rotation(session, 0, { expiresAt, retired }))

      const [denial, ...others] = rotated?.denials ?? []
      expect(denial?.id).to.equal(`${session.id}:${retired.jti}`)
      expect(denial?.ttlMs).to.be.closeTo((600 + store.leewaySeconds) * 1000, CLOCK_TOLERANCE_MS)
      expect(others).to.deep.equal([])
      expect(await store.journal.isDenied({ sid: session.id, jti: retired.jti })).to.equal(true)
      expect(await store.journal.isDenied({ sid: session.id, jti: uuidv4() })).to.equal(false)
    })

    it('retires nothing where it does not rotate', async () => {
      const session = await begun()
      await store.sessions.rotate(rotation(session, 0))
      const retired = { jti: session.refreshJti, expiresAt: session.expiresAt }

      const rotated = await store.sessions.rotate(rotation(session, 0, { retired }))

      expect(rotated).to.equal(null)
      expect(await store.journal.isDenied({ sid: session.id, jti: retired.jti })).to.equal(false)
    })

    it('lets one of fifty callers that race from one generation win', async () => {
      const session = await begun()
      const retired = { jti: session.refreshJti, expiresAt: session.expiresAt }
      const callers = Array.from({ length: 50 }, (_, index) =>
        rotation(session, 0, { rotatedAtMs: 1_800_000_000_000 + index, retired }),
      )

      const answers = await Promise.all(callers.map(async (caller) => await store.sessions.rotate(caller)))

      const [winner, ...others] = answers.filter((rotated) => rotated !== null)
      expect(others).to.deep.equal([])
      expect(winner?.session.generation).to.equal(1)
      expect(winner?.denials).to.have.length(1)
      expect(atRest(await store.sessions.find(session.id))).to.deep.equal(atRest(winner?.session))
    })

    it('lets one of fifty callers that race from one generation win which the row has lost', async () => {
      const session = await begun()
      const callers = Array.from({ length: 50 }, () => rotation(session, 3))

      const answers = await Promise.all(callers.map(async (caller) => await store.sessions.rotate(caller)))

      const winners = answers.filter((rotated) => rotated !== null)
      expect(winners.map((rotated) => rotated.session.generation)).to.deep.equal([4])
    })

    it('lets one caller at most win from each generation when several of them race', async () => {
      const session = await begun()
      const callers = Array.from({ length: 60 }, (_, index) => rotation(session, index % 3))

      const answers = await Promise.all(callers.map(async (caller) => await store.sessions.rotate(caller)))

      const generations = answers.flatMap((rotated) => rotated?.session.generation ?? [])
      expect(generations).to.have.length(new Set(generations).size)
      expect(Math.max(...generations)).to.equal(3)
      expect(await store.sessions.find(session.id)).to.include({ generation: 3 })
    })

    it('tells the role as it is now, not as it was when the session began', async () => {
      const session = await begun()
      const { username } = session.account
      await store.userAdmin.setRole({ username, role: 'admin' }, logEntry('ROLE_CHANGED'))

      const rotated = await store.sessions.rotate(rotation(session, 0))

      expect(rotated?.session.role).to.equal('admin')
      expect(await store.sessions.find(session.id)).to.include({ role: 'admin' })
    })

    it('tells the claims as they are now', async () => {
      const session = await begun()
      const claims = { team: 'red', desk: { row: 4 } }
      await store.userAdmin.setClaims(
        { username: session.account.username, claims },
        logEntry('CLAIMS_CHANGED'),
      )

      const rotated = await store.sessions.rotate(rotation(session, 0))

      expect(rotated?.session.claims).to.deep.equal(claims)
      expect((await store.sessions.find(session.id))?.claims).to.deep.equal(claims)
    })

    it('does not happen in a closed account, whose sessions end later', async () => {
      const session = await begun()
      await store.userAdmin.disable(session.account.username, logEntry('USER_DISABLED'))

      expect(await store.sessions.rotate(rotation(session, 0))).to.equal(null)
    })

    for (const { what, end } of [
      { what: 'logout', end: async (session: NewSession) => [await logOut(store, session)] },
      {
        what: 'logout of all devices',
        end: async (session: NewSession) => await allEnded(store, session),
      },
    ]) {
      it(`never outlives a ${what} that ten rotations race, in any of twenty rounds`, async () => {
        for (let round = 0; round < 20; round++) {
          const session = await begun()
          const longer = { expiresAt: session.expiresAt + DAY_SECONDS }
          const rotate = async (generation: number) =>
            await store.sessions.rotate(rotation(session, generation, longer))

          const early = Array.from({ length: 5 }, async () => await rotate(0))
          const ended = end(session)
          const late = Array.from({ length: 5 }, async (_, index) => await rotate(index % 2))
          const denials = await ended
          const rotations = (await Promise.all([...early, ...late])).filter((rotated) => rotated !== null)

          const lastExpiry = Math.max(
            session.expiresAt,
            ...rotations.map(({ session: { expiresAt } }) => expiresAt),
          )
          expect(denials?.[0]?.id).to.equal(session.id)
          expect(denials?.[0]?.ttlMs).to.be.at.least(
            (lastExpiry + store.leewaySeconds) * 1000 - store.nowMs() - CLOCK_TOLERANCE_MS,
          )
          expect(await store.sessions.find(session.id)).to.equal(null)
          for (const generation of [0, 1, 2, 3]) expect(await rotate(generation)).to.equal(null)
        }
      })
    }
  })
}
