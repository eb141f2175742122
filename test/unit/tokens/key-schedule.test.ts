// The life of a key: published before it signs, and until its last token is dead, on every clock within the leeway.
import { expect } from 'chai'
import fc from 'fast-check'
import { holdSecondsOf, keySchedule, type KeyState } from '../../../src/tokens/key-schedule.ts'

const HOLD = 315

interface Key {
  kid: string
  signsFrom: number | null
}

const key = (kid: string, signsFrom: number | null = null): Key => ({ kid, signsFrom })

const statesOf = (keys: Key[], now: number): Record<string, KeyState> =>
  Object.fromEntries(
    keySchedule(keys, { now, holdSeconds: HOLD }).map(({ key: { kid }, state }) => [kid, state]),
  )

describe('keySchedule', () => {
  it('has the first key sign and all verify where no key has a time', () => {
    expect(statesOf([key('a'), key('b'), key('c')], 1000)).to.deep.equal({
      a: 'signs',
      b: 'verifies',
      c: 'verifies',
    })
  })

  const rotated = [key('a'), key('b', 1000), key('c', 2000)]
  const moments: [number, KeyState[]][] = [
    [999, ['signs', 'next', 'next']],
    [1000, ['verifies', 'signs', 'next']],
    [1000 + HOLD - 1, ['verifies', 'signs', 'next']],
    [1000 + HOLD, ['retired', 'signs', 'next']],
    [1999, ['retired', 'signs', 'next']],
    [2000, ['retired', 'verifies', 'signs']],
    [2000 + HOLD, ['retired', 'retired', 'signs']],
  ]
  for (const [now, [a, b, c]] of moments) {
    it(`publishes a key before it signs and after: at ${now}`, () => {
      expect(statesOf(rotated, now)).to.deep.equal({ a, b, c })
    })
  }

  it('goes by the times, and not by the order of the file', () => {
    expect(statesOf([key('c', 2000), key('a'), key('b', 1000)], 1500)).to.deep.equal({
      c: 'next',
      a: 'retired',
      b: 'signs',
    })
  })

  it('retires all keys without a time together, once one with a time signs', () => {
    const keys = [key('a'), key('old'), key('b', 1000)]

    expect(statesOf(keys, 1000)).to.deep.equal({ a: 'verifies', old: 'verifies', b: 'signs' })
    expect(statesOf(keys, 1000 + HOLD)).to.deep.equal({ a: 'retired', old: 'retired', b: 'signs' })
  })

  it('has the later of two keys of the same time sign', () => {
    expect(statesOf([key('a'), key('b', 1000), key('c', 1000)], 1000)).to.deep.equal({
      a: 'verifies',
      b: 'verifies',
      c: 'signs',
    })
  })

  it('has the one to come first sign where no time has come: somebody has to', () => {
    expect(statesOf([key('c', 3000), key('b', 2000)], 1000)).to.deep.equal({ c: 'next', b: 'signs' })
  })

  it('tells until when each is published, as far as that is known', () => {
    const schedule = keySchedule(rotated, { now: 0, holdSeconds: HOLD })

    expect(schedule.map(({ publishedUntil }) => publishedUntil)).to.deep.equal([
      1000 + HOLD,
      2000 + HOLD,
      null,
    ])
  })

  it('publishes every key for as long as anybody accepts a token of it, on clocks apart by the leeway', () => {
    const accessTtlSeconds = 300
    const clock = fc.integer({ min: -60, max: 60 })
    fc.assert(
      fc.property(
        fc.record({
          gaps: fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 5 }),
          signedAt: fc.integer({ min: 0, max: 6000 }),
          usedAfter: fc.integer({ min: 0, max: 1000 }),
          signer: clock,
          verifier: clock,
          publisher: clock,
        }),
        ({ gaps, signedAt, usedAfter, ...offset }) => {
          const leewaySeconds = 60
          const holdSeconds = holdSecondsOf({ accessTtlSeconds, leewaySeconds })
          let from = 600
          const keys = [key('0'), ...gaps.map((gap, index) => key(`${index + 1}`, (from += gap)))]
          const at = (now: number) => keySchedule(keys, { now, holdSeconds })
          const signer = at(signedAt + offset.signer).find(({ state }) => state === 'signs')
          const usedAt = signedAt + usedAfter
          const expiresAt = signedAt + offset.signer + accessTtlSeconds
          fc.pre(usedAt + offset.verifier < expiresAt + leewaySeconds)

          const states = Object.fromEntries(
            at(usedAt + offset.publisher).map(({ key: { kid }, state }) => [kid, state]),
          )

          expect(states[signer?.key.kid ?? '']).not.to.equal('retired')
        },
      ),
      { numRuns: 2000 },
    )
  })
})
