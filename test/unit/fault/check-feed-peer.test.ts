import { expect } from 'chai'
import type { Operation } from '../../fault/history.ts'
import { ACCESS, brokenRules, fault, operation } from './histories.ts'

const LOGOUT = operation('logout', 1000)
const ACKNOWLEDGED = LOGOUT.endedAt
const FEED = { at: 'feed', token: ACCESS } as const

/** Open from 500 until `endedAt`. */
const socket = (endedAt: number, more: Partial<Operation> = {}): Operation =>
  operation('socket', 500, { ...FEED, answer: 401, endedAt, deadlineMs: Infinity, ...more })

describe('checkHistory of the feed peer', () => {
  it('finds a token that it lets pass when lease and margin have passed', () => {
    expect(brokenRules([LOGOUT, operation('peer-check', ACKNOWLEDGED + 6001, FEED)])).to.equal('b')
  })

  it('finds a socket that was closed too late, or never', () => {
    expect(brokenRules([LOGOUT, socket(ACKNOWLEDGED + 6001)])).to.equal('b')
    expect(brokenRules([LOGOUT, socket(ACKNOWLEDGED + 6001, { answer: 200 })])).to.equal('b')
  })

  it('lets pass a socket that was closed in time, and one whose session goes on', () => {
    expect(brokenRules([LOGOUT, socket(ACKNOWLEDGED + 5999)])).to.equal('')
    expect(brokenRules([socket(50_000, { answer: 200 })])).to.equal('')
  })

  it('finds a socket that was closed though nobody had ended its session', () => {
    expect(brokenRules([socket(5000)])).to.equal('d')
  })

  it('finds "cannot tell" in good times, and under a single fault of somebody else', () => {
    const unsure = operation('peer-check', 5000, { ...FEED, answer: 503 })

    expect(brokenRules([unsure])).to.equal('d')
    expect(brokenRules([unsure], [fault(4000, 6000, { cannotTell: ['one', 'two', 'peer'] })])).to.equal('d')
    expect(brokenRules([socket(5000, { answer: 503 })], [fault(1000, 2000)])).to.equal('d')
  })

  it('lets pass "cannot tell" when its own way is cut, or two faults come together', () => {
    const unsure = operation('peer-check', 5000, { ...FEED, answer: 503 })

    expect(brokenRules([unsure], [fault(4000, 6000, { cannotTell: ['feed'] })])).to.equal('')
    expect(brokenRules([unsure], [fault(1000, 2000), fault(4000, 6000)])).to.equal('')
  })
})
