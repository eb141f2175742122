// What every store of sessions must know of the tokens that are presented, and of those that come back late.
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import type { LateReplay, NewSession } from '../../src/auth/ports/sessions.ts'
import { logEntry, CALLER } from '../support/builders/account.ts'
import { logOut, storedSession, storedUser } from '../support/builders/stored-session.ts'
import { CLOCK_TOLERANCE_MS, type CreateStore, type StoreSubject } from './store-subject.ts'

const REPLAY = logEntry('REFRESH_LATE_REPLAY')
const PAUSE_SECONDS = 3600

export function lateReplayConformance(name: string, create: CreateStore): void {
  describe(`${name} as Sessions whose tokens come back late`, () => {
    let store: StoreSubject

    beforeEach(async () => {
      store = await create()
    })
    afterEach(async () => {
      await store.close()
    })

    /** One that was rotated up to that generation. */
    async function rotatedTo(generation: number, livesSeconds = 3600): Promise<NewSession> {
      const session = await storedSession(store, await storedUser(store), livesSeconds)
      await rotate(session, generation - 1)
      return session
    }
    async function rotate(session: NewSession, generation: number): Promise<void> {
      await store.sessions.rotate({
        sessionId: session.id,
        generation,
        refreshJti: uuidv4(),
        rotatedAtMs: Math.floor(store.nowMs()),
        expiresAt: session.expiresAt,
        maxAgeSeconds: 86_400,
      })
    }
    const present = async ({ id }: Pick<NewSession, 'id'>, generation: number) =>
      await store.sessions.present({ sessionId: id, generation })
    const replay = async (
      { id }: Pick<NewSession, 'id'>,
      generation: number,
      parts: Partial<LateReplay> = {},
    ) =>
      await store.sessions.replayLate(
        { sessionId: id, generation, pauseSeconds: PAUSE_SECONDS, ...parts },
        REPLAY,
      )
    const isPresented = async ({ id }: NewSession) => (await store.sessions.find(id))?.isPresented
    const replayEntries = async () =>
      (await store.entries()).filter(({ type }) => type === 'REFRESH_LATE_REPLAY')

    describe('present', () => {
      it('tells what find tells, and notes that the current generation was presented', async () => {
        const session = await rotatedTo(1)
        const before = await store.sessions.find(session.id)

        const found = await present(session, 1)

        expect(before?.isPresented).to.equal(false)
        expect(found).to.include({
          generation: 1,
          createdAt: before?.createdAt,
          expiresAt: before?.expiresAt,
        })
        expect(await isPresented(session)).to.equal(true)
      })

      it('notes nothing of a generation that was replaced', async () => {
        const session = await rotatedTo(2)

        for (const generation of [0, 1]) expect(await present(session, generation)).not.to.equal(null)

        expect(await isPresented(session)).to.equal(false)
      })

      it('says nothing of the generation that comes next', async () => {
        const session = await rotatedTo(1)
        await present(session, 1)

        await rotate(session, 1)

        expect(await isPresented(session)).to.equal(false)
      })

      it('notes a generation that the row has lost, once the row is there, and leaves the row where it is', async () => {
        const session = await rotatedTo(1)

        expect(await present(session, 2)).to.include({ generation: 1 })
        await rotate(session, 1)

        expect(await store.sessions.find(session.id)).to.include({ generation: 2, isPresented: true })
      })

      it('does not move the beginning of the grace', async () => {
        const session = await rotatedTo(1)
        const [before] = await store.sessions.list({ userId: session.account.id, before: null, limit: 1 })

        await present(session, 1)

        const [after] = await store.sessions.list({ userId: session.account.id, before: null, limit: 1 })
        expect(after?.lastSeenAt).to.deep.equal(before?.lastSeenAt)
      })

      it('is null for a session that is over: ended, expired, or never there', async () => {
        const [ended, expired] = [await rotatedTo(1), await rotatedTo(1, -60)]
        await logOut(store, ended)

        for (const session of [ended, expired, { id: uuidv7() }]) {
          expect(await present(session, 1)).to.equal(null)
        }
      })
    })

    describe('replayLate', () => {
      it('tells what the row says, and writes one entry that names user and session', async () => {
        const session = await rotatedTo(1)
        const before = await store.sessions.find(session.id)

        const replayed = await replay(session, 0)

        const { sinceRotationMs, sinceLateReplayMs, ...settled } = replayed ?? {}
        expect(before).to.deep.include({ ...settled, sinceLateReplayMs: null })
        expect(sinceRotationMs).to.be.within(0, CLOCK_TOLERANCE_MS)
        expect(sinceLateReplayMs).to.be.within(0, CLOCK_TOLERANCE_MS)
        expect((await store.sessions.find(session.id))?.sinceLateReplayMs).to.be.within(0, CLOCK_TOLERANCE_MS)
        expect(await replayEntries()).to.deep.equal([
          {
            type: 'REFRESH_LATE_REPLAY',
            userId: session.account.id,
            sessionId: session.id,
            ...CALLER,
            message: null,
          },
        ])
      })

      it('is null where the successor was presented', async () => {
        const session = await rotatedTo(1)
        await present(session, 1)

        await expectNothing(session, 0)
      })

      it('is null for any generation but the one before the current one', async () => {
        const session = await rotatedTo(3)

        for (const generation of [0, 1, 3, 4]) await expectNothing(session, generation)
      })

      it('is null until the pause is over, for later generations too', async () => {
        const session = await rotatedTo(1)
        await replay(session, 0)
        await rotate(session, 1)

        expect(await replay(session, 1)).to.equal(null)
        expect(await replay(session, 1, { pauseSeconds: 0 })).to.include({ generation: 2 })
        expect(await replayEntries()).to.have.length(2)
      })

      it('lets one of twenty callers win, and writes one entry', async () => {
        const session = await rotatedTo(1)

        const answers = await Promise.all(Array.from({ length: 20 }, async () => await replay(session, 0)))

        expect(answers.filter((answer) => answer !== null)).to.have.length(1)
        expect(await replayEntries()).to.have.length(1)
      })

      it('is null for a session that is over: ended, expired, or never there', async () => {
        const [ended, expired] = [await rotatedTo(1), await rotatedTo(1, -60)]
        await logOut(store, ended)

        for (const session of [ended, expired, { id: uuidv7() }]) await expectNothing(session, 0)
      })

      it('holds without an entry when that cannot be written', async () => {
        const session = await rotatedTo(1)
        await store.breakEntries()

        expect(await replay(session, 0)).to.include({ generation: 1 })
        expect(await replay(session, 0)).to.equal(null)
      })

      async function expectNothing(session: Pick<NewSession, 'id'>, generation: number): Promise<void> {
        expect(await replay(session, generation)).to.equal(null)
        expect(await replayEntries()).to.deep.equal([])
      }
    })
  })
}
