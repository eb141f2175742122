// A source that is asked at each check: how much at a time, how long, and what is told of its failures.
import { expect } from 'chai'
import { askedSource, type AskedSource } from '../../../src/peer/asked-source.ts'

describe('askedSource', () => {
  let errors: Error[]
  let source: AskedSource

  beforeEach(() => {
    errors = []
    source = askedSource({ name: 'Redis', timeoutMs: 30, onError: (error) => errors.push(error) })
  })

  const failing = async () => await source.ask(async () => await Promise.reject(new Error('gone')))
  const answering = async () => await source.ask(async () => await Promise.resolve('answer'))

  it('resolves to the answer, and is known', async () => {
    expect(await answering()).to.equal('answer')
    expect(source.freshness()).to.include({ isKnown: true, denials: null, lastError: null })
    expect(source.freshness().ageSeconds).to.be.below(10)
  })

  it('resolves to null when asking fails, or takes too long', async () => {
    expect(await failing()).to.equal(null)
    expect(await source.ask(async () => await new Promise(() => undefined))).to.equal(null)
    expect(source.freshness().isKnown).to.equal(false)
    expect((source.freshness().lastError?.cause as Error).message).to.equal('no answer in 30 ms')
  })

  it('has no more than 256 questions under way, also when they have timed out, and answers the others at once', async () => {
    const held: (() => void)[] = []
    const hold = async () =>
      await source.ask(
        async () =>
          await new Promise((resolve) => {
            held.push(() => {
              resolve('late')
            })
          }),
      )
    await Promise.all(Array.from({ length: 300 }, hold))
    const asked = held.length
    const whileHeld = await answering()

    for (const release of held) release()
    await new Promise(setImmediate)

    expect(asked).to.equal(256)
    expect(whileHeld).to.equal(null)
    expect(await answering()).to.equal('answer')
  })

  it('tells of an outage once for many checks', async () => {
    for (let index = 0; index < 5; index++) await failing()

    expect(errors.map(({ message }) => message)).to.deep.equal(['Redis gives no answer'])
  })
})
