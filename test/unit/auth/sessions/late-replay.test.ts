// A refresh token that comes back after the grace: a client that lost the answer keeps its session, a thief does not.
import { expect } from 'chai'
import type { BegunSession } from '../../../../src/auth/sessions/begin-session.ts'
import { standingOf, type Standing } from '../../../../src/auth/sessions/refresh-reuse.ts'
import { login } from '../../../../src/auth/sessions/login.ts'
import { logout } from '../../../../src/auth/sessions/logout.ts'
import type { LiveSession, Sessions } from '../../../../src/auth/ports/sessions.ts'
import { readSession } from '../../../../src/auth/sessions/read-session.ts'
import { refreshRotating, type RefreshDeps } from '../../../../src/auth/sessions/refresh.ts'
import { verifyToken } from '../../../../src/auth/tokens/verify-token.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

const DAY_SECONDS = 86_400
const GRACE_MS = 10_000
const HOUR_MS = 3_600_000

describe('a late replay', () => {
  let deps: MemoryStores
  let begun: BegunSession
  let first: string

  beforeEach(async () => {
    const stores = memoryStores()
    deps = { ...stores, refreshTtlSeconds: 10 * DAY_SECONDS }
    deps.addUser({ username: 'alice' })
    begun = await login(deps, { username: 'alice', password: PASSWORD, rotates: true, caller: CALLER })
    first = begun.refresh.token
  })

  const next = async (token: string, changes: Partial<RefreshDeps> = {}) =>
    (await refreshRotating({ ...deps, ...changes }, { token, caller: CALLER })).refresh.token
  const afterTheGrace = () => {
    deps.clock.advance(deps.rotationGraceSeconds + 1)
  }
  const entriesOf = (type: string) => deps.database.logs.filter((entry) => entry.type === type)
  const endReason = () => deps.database.sessions[0]?.endReason

  it('gets the very same successor, byte for byte, and the session goes on from there', async () => {
    const second = await next(first)
    deps.clock.advance(8 * 3600)

    const late = await next(first)

    expect(late).to.equal(second)
    expect(await refusalOf(next(late))).to.equal('resolved')
    expect(endReason()).to.equal(null)
  })

  it('of one that was in time, and lost to another one whose successor is used already, ends nothing', async () => {
    const second = await next(first)
    afterTheGrace()
    const replayLate: Sessions['replayLate'] = async () => {
      // The other one came first, and its client has gone on.
      await next(first)
      await next(second)
      return null
    }

    const answer = await refusalOf(next(first, { sessions: { ...deps.sessions, replayLate } }))

    expect(answer).to.equal('unavailable')
    expect(endReason()).to.equal(null)
  })

  it('is logged, with who asked and which generation it was', async () => {
    await next(first)
    afterTheGrace()

    await next(first)

    expect(entriesOf('REFRESH_LATE_REPLAY')).to.deep.equal([
      {
        type: 'REFRESH_LATE_REPLAY',
        caller: CALLER,
        userId: begun.user.id,
        sessionId: begun.sid,
        message: 'generation 0, current 1',
      },
    ])
  })

  it('brings an access token along that is good', async () => {
    await next(first)
    afterTheGrace()

    const { access } = await refreshRotating(deps, { token: first, caller: CALLER })

    expect(await refusalOf(verifyToken(deps, access.token))).to.equal('resolved')
  })

  it('may be asked again within a grace of its own, when that answer is lost too', async () => {
    const second = await next(first)
    afterTheGrace()
    await next(first)
    deps.clock.advance(deps.rotationGraceSeconds)

    expect(await next(first)).to.equal(second)
    expect(entriesOf('REFRESH_LATE_REPLAY')).to.have.length(1)
  })

  it('is one for all who come at once, with one entry and one successor', async () => {
    const second = await next(first)
    afterTheGrace()

    const answers = await Promise.all(Array.from({ length: 20 }, async () => await next(first)))

    expect(new Set(answers)).to.deep.equal(new Set([second]))
    expect(entriesOf('REFRESH_LATE_REPLAY')).to.have.length(1)
    expect(endReason()).to.equal(null)
  })

  it('is one for all who come at once where there is no grace, too', async () => {
    const noGrace = { rotationGraceSeconds: 0 }
    const second = await next(first)
    deps.clock.advance(1)

    const answers = await Promise.all(Array.from({ length: 20 }, async () => await next(first, noGrace)))

    expect(new Set(answers)).to.deep.equal(new Set([second]))
    expect(endReason()).to.equal(null)
  })

  for (const { what, present } of [
    { what: 'rotated', present: async (token: string) => await next(token) },
    { what: 'read by a page', present: async (token: string) => await readSession(deps, token) },
    {
      what: 'verified',
      present: async (token: string) => {
        await verifyToken(deps, token)
      },
    },
  ]) {
    it(`ends the session when the successor was ${what} before`, async () => {
      const second = await next(first)
      await present(second)
      afterTheGrace()

      expect(await refusalOf(next(first))).to.equal('token_denied')
      expect(endReason()).to.equal('refresh_reuse')
      expect(entriesOf('REFRESH_REUSE')).to.have.length(1)
      expect(entriesOf('REFRESH_LATE_REPLAY')).to.deep.equal([])
    })
  }

  it('ends the session the second time within a day, for a later generation too', async () => {
    await next(first)
    afterTheGrace()
    const second = await next(first)
    await next(second)
    deps.clock.advance(DAY_SECONDS - 60)

    expect(await refusalOf(next(second))).to.equal('token_denied')
    expect(endReason()).to.equal('refresh_reuse')
  })

  it('is given again a day later', async () => {
    await next(first)
    afterTheGrace()
    const second = await next(first)
    const third = await next(second)
    deps.clock.advance(DAY_SECONDS)

    expect(await next(second)).to.equal(third)
    expect(entriesOf('REFRESH_LATE_REPLAY')).to.have.length(2)
  })

  it('finds a thief who follows the owner at the second step', async () => {
    const owners = await next(first)
    afterTheGrace()
    const thiefs = await next(first)
    await next(thiefs)
    afterTheGrace()

    expect(thiefs).to.equal(owners)
    expect(await refusalOf(next(owners))).to.equal('token_denied')
    expect(endReason()).to.equal('refresh_reuse')
  })

  it('finds a thief who comes with what the owner has used since', async () => {
    const owners = await next(first)
    await next(owners)
    afterTheGrace()

    expect(await refusalOf(next(first))).to.equal('token_denied')
    expect(endReason()).to.equal('refresh_reuse')
  })

  it('is not spent on a caller who is gone', async () => {
    const second = await next(first)
    afterTheGrace()
    const gone = { token: first, caller: { ...CALLER, isWaiting: () => false } }

    expect(await refusalOf(refreshRotating(deps, gone))).to.equal('unavailable')
    expect(entriesOf('REFRESH_LATE_REPLAY')).to.deep.equal([])
    expect(await next(first)).to.equal(second)
    expect(entriesOf('REFRESH_LATE_REPLAY')).to.have.length(1)
  })

  it('gives nothing when a logout comes between the look at the row and the replay', async () => {
    await next(first)
    afterTheGrace()
    const sessions = {
      ...deps.sessions,
      replayLate: async (...parameters: Parameters<typeof deps.sessions.replayLate>) => {
        await logout(deps, { refreshToken: first, caller: CALLER })
        return await deps.sessions.replayLate(...parameters)
      },
    }

    expect(await refusalOf(next(first, { sessions }))).to.equal('token_denied')
    expect(endReason()).to.equal('logout')
  })

  it('is unavailable, and ends nothing, when the row contradicts itself', async () => {
    await next(first)
    afterTheGrace()
    const sessions = { ...deps.sessions, replayLate: async () => await Promise.resolve(null) }

    expect(await refusalOf(next(first, { sessions }))).to.equal('unavailable')
    expect(endReason()).to.equal(null)
  })

  it('is unavailable without the store of sessions, and is there when that is back', async () => {
    const second = await next(first)
    afterTheGrace()
    deps.database.isAnswering = false
    const answer = await refusalOf(next(first))
    deps.database.isAnswering = true

    expect(answer).to.equal('unavailable')
    expect(await next(first)).to.equal(second)
  })
})

describe('standingOf, after the grace', () => {
  const session = (parts: Partial<LiveSession>): LiveSession => ({
    generation: 3,
    rotatedAtMs: 1_800_000_000_123,
    sinceRotationMs: HOUR_MS,
    isPresented: false,
    sinceLateReplayMs: null,
    createdAt: 1_799_999_000,
    expiresAt: 1_800_086_400,
    role: 'user',
    claims: {},
    ...parts,
  })

  const lateCases: { what: string; parts: Partial<LiveSession>; graceMs?: number; standing: Standing }[] = [
    { what: 'the current one was presented', parts: { isPresented: true }, standing: 'reused' },
    {
      what: 'there was a late replay a moment ago',
      parts: { sinceLateReplayMs: GRACE_MS },
      standing: 'in_grace',
    },
    {
      what: 'there was a late replay a moment ago, and it has arrived',
      parts: { sinceLateReplayMs: GRACE_MS, isPresented: true },
      standing: 'in_grace',
    },
    {
      what: 'another caller is replaying it now, where there is no grace',
      parts: { sinceLateReplayMs: 1500 },
      graceMs: 0,
      standing: 'in_grace',
    },
    { what: 'there was a late replay since', parts: { sinceLateReplayMs: GRACE_MS + 1 }, standing: 'reused' },
    {
      what: 'an earlier one was replayed less than a day ago',
      parts: { sinceLateReplayMs: 24 * HOUR_MS - 1 },
      standing: 'reused',
    },
    {
      what: 'an earlier one was replayed a day ago',
      parts: { sinceLateReplayMs: 24 * HOUR_MS },
      standing: 'late',
    },
    {
      what: 'an earlier one was replayed a day ago, and the current one was presented',
      parts: { sinceLateReplayMs: 24 * HOUR_MS, isPresented: true },
      standing: 'reused',
    },
  ]
  for (const { what, parts, graceMs = GRACE_MS, standing } of lateCases) {
    it(`is ${standing} for the previous one when ${what}`, () => {
      expect(standingOf(session(parts), 2, graceMs)).to.equal(standing)
    })
  }

  it('is never in the grace of a late replay of an earlier one', () => {
    const soonAfter = session({ sinceRotationMs: 1000, sinceLateReplayMs: 1500 })

    expect(standingOf(soonAfter, 2, 0)).to.equal('reused')
  })
})
