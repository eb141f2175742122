// What a row says of a refresh token: by generation, and by the clock only for the one just replaced.
import { expect } from 'chai'
import {
  judge,
  sessionOf,
  standingOf,
  type ReuseDeps,
  type Standing,
} from '../../../../src/auth/sessions/refresh-reuse.ts'
import type { LiveSession } from '../../../../src/auth/ports/sessions.ts'
import type { RefreshClaims } from '../../../../src/contract/claims.ts'
import { account, logEntry, CALLER } from '../../../support/builders/account.ts'
import { newSession } from '../../../support/builders/new-session.ts'
import { memoryStores, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

const ROTATED_AT_MS = 1_800_000_000_123
const GRACE_MS = 10_000

describe('standingOf', () => {
  const session = (parts: Partial<LiveSession> = {}): LiveSession => ({
    generation: 3,
    rotatedAtMs: ROTATED_AT_MS,
    sinceRotationMs: 0,
    isPresented: false,
    sinceLateReplayMs: null,
    createdAt: 1_799_999_000,
    expiresAt: 1_800_086_400,
    role: 'user',
    claims: {},
    ...parts,
  })

  const cases: { what: string; generation: number; afterMs: number; graceMs?: number; standing: Standing }[] =
    [
      { what: 'the current one at once', generation: 3, afterMs: 0, standing: 'current' },
      { what: 'the current one long after', generation: 3, afterMs: 999_999_999, standing: 'current' },
      { what: 'the current one without a grace', generation: 3, afterMs: 1, graceMs: 0, standing: 'current' },
      { what: 'the previous one at once', generation: 2, afterMs: 0, standing: 'in_grace' },
      {
        what: 'the previous one, when the grace ends',
        generation: 2,
        afterMs: GRACE_MS,
        standing: 'in_grace',
      },
      { what: 'the previous one, after the grace', generation: 2, afterMs: GRACE_MS + 1, standing: 'late' },
      {
        what: 'the previous one, by a clock that is behind',
        generation: 2,
        afterMs: -5000,
        standing: 'in_grace',
      },
      {
        what: 'the previous one at once, no grace',
        generation: 2,
        afterMs: 0,
        graceMs: 0,
        standing: 'in_grace',
      },
      { what: 'the previous one, no grace', generation: 2, afterMs: 1, graceMs: 0, standing: 'late' },
      { what: 'an older one within the grace', generation: 1, afterMs: 0, standing: 'reused' },
      { what: 'the oldest one within the grace', generation: 0, afterMs: 0, standing: 'reused' },
      { what: 'an older one after the grace', generation: 1, afterMs: GRACE_MS + 1, standing: 'reused' },
      { what: 'the next one, which the row never saw', generation: 4, afterMs: 0, standing: 'current' },
      { what: 'one far ahead of the row', generation: 99, afterMs: GRACE_MS + 1, standing: 'current' },
    ]
  for (const { what, generation, afterMs, graceMs = GRACE_MS, standing } of cases) {
    it(`is ${standing} for ${what}`, () => {
      expect(standingOf(session({ sinceRotationMs: afterMs }), generation, graceMs)).to.equal(standing)
    })
  }

  describe('of a session that never rotated', () => {
    const never = session({ generation: 0, rotatedAtMs: null, sinceRotationMs: null })

    it('is current for its first generation, and for any that the row has lost', () => {
      expect(standingOf(never, 0, GRACE_MS)).to.equal('current')
      expect(standingOf(never, 1, GRACE_MS)).to.equal('current')
    })
  })

  it('is reused for the previous one where the row does not know since when, by whatever clock', () => {
    const undated = session({ rotatedAtMs: null, sinceRotationMs: null })

    expect(standingOf(undated, 2, GRACE_MS)).to.equal('reused')
  })
})

describe('a refresh token and the row of its session', () => {
  let deps: MemoryStores
  let sid: string
  let userId: string

  beforeEach(async () => {
    deps = memoryStores()
    const user = deps.addUser(account())
    const session = newSession(user, deps.clock.now() + deps.refreshTtlSeconds)
    await deps.sessions.begin(session, logEntry('USER_LOGIN'))
    ;[sid, userId] = [session.id, user.id]
  })

  /** Of a token of that generation. */
  const claims = (gen: number | undefined): RefreshClaims => {
    const grant = { sid, userId, scope: 'user' }
    const { token } = deps.tokens.signRefresh(grant, false)
    return { ...(deps.tokens.verify(token) as RefreshClaims), gen }
  }
  /** Takes the row to that generation, just now. */
  const rotateTo = (generation: number) => {
    const [session] = deps.database.sessions
    if (session) Object.assign(session, { generation, rotatedAtMs: deps.clock.nowMs() })
  }
  const askWith = async (gen: number | undefined, changes: Partial<ReuseDeps> = {}) =>
    await refusalOf(sessionOf({ ...deps, ...changes }, { claims: claims(gen), caller: CALLER }))

  describe('judge', () => {
    it('tells the session together with the standing', async () => {
      rotateTo(2)

      const judgement = await judge(deps, claims(1))

      expect(judgement.standing).to.equal('in_grace')
      expect(judgement.session).to.deep.equal(await deps.sessions.find(sid))
    })

    it('takes a token without a generation for the first', async () => {
      const before = await judge(deps, claims(undefined))
      rotateTo(1)
      deps.clock.advance(deps.rotationGraceSeconds + 1)
      const after = await judge(deps, claims(undefined))

      expect([before.standing, after.standing]).to.deep.equal(['current', 'late'])
    })

    it('changes nothing for a token that was used up', async () => {
      rotateTo(5)
      const before = JSON.stringify({ ...deps.database, clock: null })

      await judge(deps, claims(1))

      expect(JSON.stringify({ ...deps.database, clock: null })).to.equal(before)
      expect(deps.denylist.denials.size).to.equal(0)
    })

    it('is token_denied when the session is over', async () => {
      await deps.sessions.endAll({ id: sid, expiresAt: 0 }, logEntry('USER_LOGOUT'))

      expect(await refusalOf(judge(deps, claims(0)))).to.equal('token_denied')
    })

    it('is unavailable when the row cannot be read', async () => {
      deps.database.isAnswering = false

      expect(await refusalOf(judge(deps, claims(0)))).to.equal('unavailable')
    })

    describe('where the denylist knows of an end that the row has lost', () => {
      it('is token_denied, whatever the row says', async () => {
        await deps.denylist.deny([{ id: sid, ttlMs: 60_000 }])

        for (const gen of [0, 7, undefined]) {
          expect(await refusalOf(judge(deps, claims(gen))), String(gen)).to.equal('token_denied')
        }
      })

      it('is token_denied also when the row cannot be read', async () => {
        await deps.denylist.deny([{ id: sid, ttlMs: 60_000 }])
        deps.database.isAnswering = false

        expect(await refusalOf(judge(deps, claims(0)))).to.equal('token_denied')
      })

      it('is token_denied for a token with a generation that is denied itself', async () => {
        const own = claims(0)
        await deps.denylist.deny([{ id: `${sid}:${own.jti}`, ttlMs: 60_000 }])

        expect(await refusalOf(judge(deps, own))).to.equal('token_denied')
        expect((await judge(deps, claims(0))).standing).to.equal('current')
      })

      it('leaves the last word to the row for a token that is denied only since it was replaced', async () => {
        const own = claims(undefined)
        await deps.denylist.deny([{ id: `${sid}:${own.jti}`, ttlMs: 60_000 }])
        rotateTo(1)

        expect((await judge(deps, own)).standing).to.equal('in_grace')
      })
    })

    it('leaves the last word to the row where the denylist cannot tell', async () => {
      await deps.denylist.deny([{ id: sid, ttlMs: 60_000 }])
      deps.denylist.isTrusted = false

      expect((await judge(deps, claims(0))).standing).to.equal('current')
    })

    it('is unavailable, and no unhandled rejection, when the row fails before the denylist answers', async () => {
      deps.database.isAnswering = false
      const check: typeof deps.denylist.check = async (ids) => {
        await new Promise((resolve) => setImmediate(resolve))
        return await deps.denylist.check(ids)
      }

      const unhandled: unknown[] = []
      const listener = (reason: unknown) => unhandled.push(reason)
      process.on('unhandledRejection', listener)

      const answer = await refusalOf(judge({ ...deps, denylist: { ...deps.denylist, check } }, claims(0)))
      process.off('unhandledRejection', listener)

      expect(answer).to.equal('unavailable')
      expect(unhandled).to.deep.equal([])
    })

    it('asks the denylist and the row at the same time', async () => {
      const events: string[] = []
      const told = async <T>(name: string, answer: Promise<T>): Promise<T> => {
        events.push(`${name} is asked`)
        const result = await answer
        events.push(`${name} answers`)
        return result
      }
      const sessions = {
        ...deps.sessions,
        find: async (id: string) => await told('row', deps.sessions.find(id)),
      }
      const check: typeof deps.denylist.check = async (ids) =>
        await told('denylist', deps.denylist.check(ids))

      await judge({ ...deps, sessions, denylist: { ...deps.denylist, check } }, claims(0))

      expect(events.slice(0, 2)).to.have.members(['row is asked', 'denylist is asked'])
    })
  })

  describe('sessionOf', () => {
    it('resolves to the session for the current token, and for the previous one within the grace', async () => {
      rotateTo(2)
      deps.clock.advance(deps.rotationGraceSeconds)

      for (const gen of [2, 1]) {
        const session = await sessionOf(deps, { claims: claims(gen), caller: CALLER })
        expect(session).to.deep.equal(await deps.sessions.find(sid))
      }
    })

    it('ends the session for a token that was used up, journal first, and tells the denylist', async () => {
      rotateTo(2)
      const journalSaid: boolean[] = []
      const denylist = {
        ...deps.denylist,
        deny: async (denials: Parameters<typeof deps.denylist.deny>[0]) => {
          journalSaid.push(await deps.journal.isDenied({ sid, jti: 'any' }))
          await deps.denylist.deny(denials)
        },
      }

      const answer = await askWith(0, { denylist })

      expect(answer).to.equal('token_denied')
      expect(deps.database.sessions[0]?.endReason).to.equal('refresh_reuse')
      expect(journalSaid).to.deep.equal([true])
      expect([...deps.denylist.denials.keys()]).to.deep.equal([sid])
    })

    it('denies the session for as long as its newest token can live, not the one at hand', async () => {
      const old = claims(0)
      deps.clock.advance(3600)
      rotateTo(2)
      const [session] = deps.database.sessions
      if (session) session.expiresAtMs = deps.clock.nowMs() + deps.refreshTtlSeconds * 1000
      deps.clock.advance(deps.rotationGraceSeconds + 1)

      await refusalOf(sessionOf(deps, { claims: old, caller: CALLER }))

      const untilMs = (session?.expiresAtMs ?? 0) + deps.leewaySeconds * 1000
      expect(deps.denylist.denials.get(sid)).to.equal(untilMs)
    })

    it('denies it for as long even where the row is lost in the meantime', async () => {
      const old = claims(0)
      rotateTo(2)
      const untilMs = deps.clock.nowMs() + 2 * deps.refreshTtlSeconds * 1000
      for (const session of deps.database.sessions) session.expiresAtMs = untilMs
      deps.clock.advance(deps.rotationGraceSeconds + 1)
      const sessions = {
        ...deps.sessions,
        end: async (...parameters: Parameters<typeof deps.sessions.end>) => {
          deps.database.sessions.length = 0
          return await deps.sessions.end(...parameters)
        },
      }

      await refusalOf(sessionOf({ ...deps, sessions }, { claims: old, caller: CALLER }))

      expect(deps.denylist.denials.get(sid)).to.equal(untilMs + deps.leewaySeconds * 1000)
    })

    it('logs the reuse once, with who asked and which generation was used', async () => {
      rotateTo(5)
      const before = deps.database.logs.length

      await Promise.all(Array.from({ length: 20 }, async () => await askWith(1)))

      expect(deps.database.logs.slice(before)).to.deep.equal([
        {
          type: 'REFRESH_REUSE',
          caller: CALLER,
          userId,
          sessionId: sid,
          message: 'generation 1, current 5',
        },
      ])
    })

    it('resolves to the session for a generation that the row has lost, and leaves the row as it is', async () => {
      const before = deps.database.logs.length

      const answer = await askWith(7)

      expect(answer).to.equal('resolved')
      expect(deps.database.sessions[0]).to.include({ generation: 0, endReason: null })
      expect(deps.database.logs).to.have.length(before)
      expect(deps.denylist.denials.size).to.equal(0)
    })

    it('ends nothing by a used-up token of a session that the denylist knows to be over', async () => {
      rotateTo(5)
      await deps.denylist.deny([{ id: sid, ttlMs: 60_000 }])
      const before = deps.database.logs.length

      expect(await askWith(0)).to.equal('token_denied')
      expect(deps.database.sessions[0]?.endReason).to.equal(null)
      expect(deps.database.logs).to.have.length(before)
    })

    it('holds without an entry when that cannot be written', async () => {
      rotateTo(2)
      deps.database.takesEntries = false

      expect(await askWith(0)).to.equal('token_denied')
      expect(deps.database.sessions[0]?.endReason).to.equal('refresh_reuse')
    })

    it('is unavailable when the end of a used-up session cannot be made durable', async () => {
      rotateTo(2)
      const sessions = {
        ...deps.sessions,
        end: async (...parameters: Parameters<typeof deps.sessions.end>) => {
          deps.database.isAnswering = false
          return await deps.sessions.end(...parameters)
        },
      }

      expect(await askWith(0, { sessions })).to.equal('unavailable')
    })
  })
})
