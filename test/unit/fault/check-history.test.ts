import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { checkHistory } from '../../fault/check-history.ts'
import { readHistory, writeHistory, type Operation } from '../../fault/history.ts'
import { ACCESS, BOUNDS, brokenRules, fault, generation, operation, REFRESH } from './histories.ts'

const LOGOUT = operation('logout', 1000)
const ACKNOWLEDGED = LOGOUT.endedAt

describe('checkHistory', () => {
  it('says what was broken, in words, and by which operations', () => {
    const accepted = operation('refresh', 3000)

    const violations = checkHistory({ bounds: BOUNDS, operations: [LOGOUT, accepted], faults: [] })

    expect(violations).to.deep.equal([
      {
        rule: 'a',
        sentence:
          'refresh at one → 200 though one had acknowledged its logout 1.99 s before (token: -57.00 s past its expiry)',
        operations: [accepted, LOGOUT],
      },
    ])
  })

  it('lists violations in the order in which they happened', () => {
    const broken = brokenRules([
      LOGOUT,
      operation('verify', 9000, { answer: 500 }),
      operation('refresh', 3000),
    ])

    expect(broken).to.equal('af')
  })

  it('comes to the same from a history that was kept', () => {
    const directory = mkdtempSync(join(tmpdir(), 'signoff-history-'))
    const file = join(directory, 'history.jsonl')
    const history = {
      bounds: BOUNDS,
      operations: [LOGOUT, operation('refresh', 3000)],
      faults: [fault(2000, null, { cannotTell: ['peer'] })],
    }

    writeHistory(file, history)
    const kept = readHistory(file)
    rmSync(directory, { recursive: true })

    expect(kept).to.deep.equal(history)
  })
})

describe('rule (a): a logout holds where it was answered at once, elsewhere after the lease', () => {
  for (const kind of ['refresh', 'rotate', 'verify'] as const) {
    it(`finds a ${kind} accepted by the instance that acknowledged the logout`, () => {
      expect(brokenRules([LOGOUT, operation(kind, ACKNOWLEDGED + 1)])).to.equal('a')
    })
  }

  it('finds one after the restart of that instance, however late', () => {
    const restarted = fault(2000, 9000, { silent: ['one'], cannotTell: ['one'] })

    expect(brokenRules([LOGOUT, operation('refresh', 50_000)], [restarted])).to.equal('a')
  })

  it('finds one accepted by another instance when lease and margin have passed', () => {
    expect(brokenRules([LOGOUT, operation('refresh', ACKNOWLEDGED + 6001, { at: 'two' })])).to.equal('a')
  })

  it('takes a 204 for a logout', () => {
    const logout = operation('logout', 1000, { answer: 204 })

    expect(brokenRules([logout, operation('refresh', 2000)])).to.equal('a')
  })

  it('holds the instance to the logout that it acknowledged after another one', () => {
    const later = operation('logout', 2000, { at: 'two', answer: 204 })

    expect(brokenRules([LOGOUT, later, operation('refresh', 2100, { at: 'two' })])).to.equal('a')
  })

  it('lets pass what another instance accepts within lease and margin', () => {
    expect(brokenRules([LOGOUT, operation('refresh', ACKNOWLEDGED + 5999, { at: 'two' })])).to.equal('')
  })

  it('lets pass what began before the logout was answered', () => {
    const overtaken = operation('refresh', ACKNOWLEDGED - 1, { endedAt: 3000 })

    expect(brokenRules([LOGOUT, overtaken])).to.equal('')
  })

  it('lets pass what follows a logout that was not acknowledged', () => {
    const unsure = operation('logout', 1000, { answer: 503 })
    const trouble = fault(900, 1500, { cannotTell: ['one'] })

    expect(brokenRules([unsure, operation('refresh', 2000)], [trouble])).to.equal('')
  })

  it('lets pass another session', () => {
    expect(brokenRules([LOGOUT, operation('refresh', 2000, { sid: 'another' })])).to.equal('')
  })
})

describe('rule (b): an access token is denied to peers after the lease', () => {
  it('finds one that Redis lets pass when lease and margin have passed', () => {
    expect(brokenRules([LOGOUT, operation('peer-check', ACKNOWLEDGED + 6001)])).to.equal('b')
  })

  it('finds one that another instance verifies then', () => {
    const verified = operation('verify', ACKNOWLEDGED + 6001, { at: 'two', token: ACCESS })

    expect(brokenRules([LOGOUT, verified])).to.equal('b')
  })

  it('finds one that passes between its expiry and the end of the leeway', () => {
    const revived = operation('peer-check', ACCESS.expiresAt + 3900)

    expect(brokenRules([LOGOUT, revived])).to.equal('b')
  })

  it('lets pass one within lease and margin', () => {
    expect(brokenRules([LOGOUT, operation('peer-check', ACKNOWLEDGED + 5999)])).to.equal('')
  })

  it('lets pass one that the peer can see to have expired', () => {
    const late = operation('peer-check', ACCESS.expiresAt + 3995, { endedAt: ACCESS.expiresAt + 4001 })

    expect(brokenRules([LOGOUT, late])).to.equal('')
  })
})

describe('rule (c): a generation is spent once', () => {
  const rotated = operation('rotate', 1000, { token: generation(0), successor: 'refresh-1' })

  it('finds two different successors', () => {
    const again = { ...rotated, at: 'two' as const, successor: 'another' }

    expect(brokenRules([rotated, again])).to.equal('c')
  })

  const presented = operation('verify', 1100, { token: { ...generation(1), digest: 'refresh-1' } })

  for (const kind of ['rotate', 'verify'] as const) {
    it(`finds a ${kind} with a token that was used up, after the grace`, () => {
      const used = operation(kind, rotated.endedAt + 4001, {
        token: generation(0),
        successor: kind === 'rotate' ? rotated.successor : null,
      })

      expect(brokenRules([rotated, presented, used])).to.equal('c')
    })
  }

  describe('and replayed late', () => {
    const late = { ...rotated, startedAt: 6000, endedAt: 6010 }

    it('lets pass one replay, and another one within the grace of that', () => {
      const again = { ...late, startedAt: 9000, endedAt: 9010 }

      expect(brokenRules([rotated, late, again])).to.equal('')
    })

    it('lets it be read until the grace after that is over, and not later', () => {
      const read = (atMs: number) =>
        brokenRules([rotated, late, operation('verify', atMs, { token: rotated.token })])

      expect([read(5900), read(6100), read(10_000), read(10_100)]).to.deep.equal(['', '', '', 'c'])
    })

    it('finds the one whose successor had been presented', () => {
      const token = { ...generation(1), digest: 'refresh-1' }

      expect(brokenRules([rotated, operation('verify', 2000, { token }), late])).to.equal('c')
    })

    it('finds another successor', () => {
      expect(brokenRules([rotated, { ...late, successor: 'another' }])).to.equal('c')
    })

    it('finds the second one', () => {
      const second = { ...late, startedAt: 12_000, endedAt: 12_010 }

      expect(brokenRules([rotated, late, second])).to.equal('c')
    })
  })

  it('finds one within the grace whose successor was used up too', () => {
    const next = operation('rotate', 1100, { token: generation(1), successor: 'refresh-2' })
    const used = operation('refresh', 1200, { token: generation(0) })

    expect(brokenRules([rotated, next, used])).to.equal('c')
  })

  it('lets pass the very same successor within the grace', () => {
    const again = { ...rotated, startedAt: 4900, endedAt: 4910 }

    expect(brokenRules([rotated, again])).to.equal('')
  })

  it('lets pass the token that is current', () => {
    expect(brokenRules([rotated, operation('refresh', 20_000, { token: generation(1) })])).to.equal('')
  })
})

describe('rule (d): nothing is refused that nobody ended', () => {
  for (const answer of [401, 403, 429]) {
    it(`finds a ${answer} for a live session`, () => {
      expect(brokenRules([operation('refresh', 1000, { answer })])).to.equal('d')
    })
  }

  it('finds a login, a logout and a peer check that are refused', () => {
    const refused = [
      operation('login', 1000, { answer: 401, sid: null, token: null }),
      operation('peer-check', 1100, { answer: 401 }),
      operation('logout', 1200, { answer: 401 }),
    ]

    expect(brokenRules(refused)).to.equal('ddd')
  })

  it('finds a refusal before the logout was asked for', () => {
    expect(brokenRules([operation('refresh', 900, { answer: 401 }), LOGOUT])).to.equal('d')
  })

  it('finds "cannot tell" without a fault, and for whom the fault does not concern', () => {
    const unsure = operation('refresh', 1000, { answer: 503 })
    const elsewhere = fault(900, 1100, { cannotTell: ['two', 'peer'] })

    expect(brokenRules([unsure])).to.equal('d')
    expect(brokenRules([unsure], [elsewhere])).to.equal('d')
  })

  it('finds "cannot tell" when the time to settle is over', () => {
    const over = fault(0, 1000, { cannotTell: ['peer'] })

    expect(brokenRules([operation('peer-check', 6001, { answer: 503 })], [over])).to.equal('d')
    expect(brokenRules([operation('peer-check', 6001, { answer: 'no answer' })], [over])).to.equal('d')
  })

  it('finds a token that outlives its expiry, leeway and skew', () => {
    expect(brokenRules([operation('refresh', REFRESH.expiresAt + 7501)])).to.equal('d')
  })

  it('finds the refusal of a replay within the grace', () => {
    const rotated = operation('rotate', 1000, { token: generation(0), successor: 'refresh-1' })
    const replayed = operation('rotate', 4000, { token: generation(0), answer: 401 })

    expect(brokenRules([rotated, replayed])).to.equal('d')
  })

  it('lets pass what follows a logout, even one that was not acknowledged', () => {
    const unsure = operation('logout', 1000, { answer: 'no answer' })
    const killed = fault(900, 1100, { silent: ['one'] })

    expect(brokenRules([unsure, operation('refresh', 1001, { answer: 401 })], [killed])).to.equal('')
  })

  it('lets pass the second of two logouts at once', () => {
    expect(brokenRules([LOGOUT, operation('logout', 1005, { at: 'two', answer: 401 })])).to.equal('')
  })

  it('lets pass a session whose used-up token came back', () => {
    const history = [
      operation('rotate', 1000, { token: generation(0), successor: 'refresh-1' }),
      operation('rotate', 6000, { token: generation(0), answer: 401 }),
      operation('refresh', 7000, { token: generation(1), answer: 401 }),
    ]

    expect(brokenRules(history)).to.equal('')
  })

  it('lets pass a refresh near the end of its token, and a verify no sooner than that', () => {
    const refused = (kind: 'refresh' | 'verify', beforeMs: number) =>
      brokenRules([operation(kind, REFRESH.expiresAt - beforeMs, { answer: 401 })])

    expect([refused('refresh', 3600), refused('refresh', 3400)]).to.deep.equal(['d', ''])
    expect([refused('verify', 100), refused('verify', -100)]).to.deep.equal(['d', ''])
  })

  it('lets pass a token that has expired', () => {
    expect(brokenRules([operation('refresh', REFRESH.expiresAt + 1, { answer: 401 })])).to.equal('')
    expect(brokenRules([operation('refresh', REFRESH.expiresAt + 7499)])).to.equal('')
  })

  it('lets pass "cannot tell" during a fault and while it settles', () => {
    const trouble = fault(1000, 2000, { cannotTell: ['one'] })
    const unsure = [1500, 6999].map((at) => operation('refresh', at, { answer: 503 }))

    expect(brokenRules(unsure, [trouble])).to.equal('')
    expect(brokenRules(unsure, [fault(1000, null, { cannotTell: ['one'] })])).to.equal('')
  })
})

describe('rule (d), at an instance that was away and has not reached Redis since', () => {
  const away = fault(1000, 10_000, { name: 'one killed', silent: ['one'], cannotTell: ['one'] })
  const redis = fault(9000, 30_000, { name: 'Redis full', cannotTell: ['peer'] })
  const [first, second] = [0, 1].map((number) =>
    operation('rotate', 500 + number * 100, {
      token: generation(number),
      successor: generation(number + 1).digest,
    }),
  ) as [Operation, Operation]
  const unsure = (more: Partial<Operation>) => operation('rotate', 20_000, { ...more, answer: 503 })

  it('lets pass "cannot tell" to what ends a session: a logout, and a token that was used up', () => {
    expect(brokenRules([unsure({ kind: 'logout' })], [away, redis])).to.equal('')
    expect(brokenRules([first, second, unsure({ token: generation(0) })], [away, redis])).to.equal('')
  })

  it('finds it for the token that is current, and where only one of both has happened', () => {
    const current = [first, second, unsure({ token: generation(2) })]
    const logout = [unsure({ kind: 'logout' })]

    expect(brokenRules(current, [away, redis])).to.equal('d')
    expect([brokenRules(logout, [away]), brokenRules(logout, [redis])]).to.deep.equal(['d', 'd'])
  })
})

describe('rule (e): every request is answered in time', () => {
  it('finds one that is late', () => {
    expect(brokenRules([operation('refresh', 1000, { endedAt: 3001 })])).to.equal('e')
  })

  it('finds one that is not answered', () => {
    expect(brokenRules([operation('refresh', 1000, { answer: 'no answer' })])).to.equal('e')
  })

  it('finds one that is late at an instance that was not hung', () => {
    const late = operation('refresh', 1000, { endedAt: 3001 })

    expect(brokenRules([late], [fault(900, 5000, { silent: ['two'], cannotTell: ['one'] })])).to.equal('e')
  })

  it('lets pass one at the deadline', () => {
    expect(brokenRules([operation('refresh', 1000, { endedAt: 3000 })])).to.equal('')
  })

  it('lets pass one whose instance was hung or killed meanwhile', () => {
    const late = operation('refresh', 1000, { endedAt: 9000 })
    const lost = operation('refresh', 1000, { endedAt: 9000, answer: 'no answer' })

    expect(brokenRules([late, lost], [fault(8000, 8500, { silent: ['one'] })])).to.equal('')
  })

  it('lets pass a Redis that does not answer the peer in time', () => {
    expect(brokenRules([operation('peer-check', 1000, { endedAt: 9000 })])).to.equal('')
  })
})

describe('rule (f): every answer is one of its dialect', () => {
  it('finds a 500, whatever is wrong at that time', () => {
    const everything = fault(0, null, { silent: ['one', 'two'], cannotTell: ['one', 'two', 'peer'] })

    expect(brokenRules([operation('refresh', 1000, { answer: 500 })], [everything])).to.equal('f')
  })

  it('finds a status that the dialect does not have', () => {
    expect(brokenRules([operation('refresh', 1000, { answer: 204 })])).to.equal('f')
    expect(brokenRules([operation('login', 1000, { answer: 404 })])).to.equal('f')
  })

  it('lets pass the statuses that it has', () => {
    expect(brokenRules([LOGOUT, operation('refresh', 1500, { answer: 401 })])).to.equal('')
    expect(brokenRules([operation('logout', 1000, { answer: 204 })])).to.equal('')
  })
})
