// The time for which a key is published before it signs, as it is typed.
import { expect } from 'chai'
import {
  CACHED_SECONDS,
  parsePublishSeconds,
  PUBLISH_SECONDS,
} from '../../../src/commands/publish-seconds.ts'

describe('parsePublishSeconds', () => {
  for (const text of ['0', '899', '2592000']) {
    it(`takes ${text}`, () => {
      expect(parsePublishSeconds(text)).to.equal(Number(text))
    })
  }

  for (const text of ['', '-1', '1.5', '1e3', '0x10', 'soon', '2592001', '99999999']) {
    it(`refuses "${text}"`, () => {
      expect(() => parsePublishSeconds(text)).to.throw('Whole seconds from 0 to 2592000')
    })
  }

  it('is longer than peers keep keys, when nothing is said', () => {
    expect(PUBLISH_SECONDS).to.be.above(CACHED_SECONDS)
  })
})
