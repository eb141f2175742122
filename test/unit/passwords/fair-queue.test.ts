// The queue in which networks take turns.
import { expect } from 'chai'
import { fairQueue, type FairQueue, type QueuedFor } from '../../../src/passwords/fair-queue.ts'
import { refusalOf } from '../../support/clients/refusal-of.ts'

describe('fairQueue', () => {
  let begun: string[]
  let ends: (() => void)[]

  beforeEach(() => {
    begun = []
    ends = []
  })

  const queueOf = (concurrency: number, maxWaiting: number): FairQueue =>
    fairQueue({ concurrency, maxWaiting })

  const of = (network: string, isInTime = () => true): QueuedFor => ({ network, isInTime })

  /** Queues work that is named, and lasts until it is ended. */
  const queue = (fair: FairQueue, asker: QueuedFor, name: string): Promise<string> => {
    const outcome = refusalOf(
      fair.run(asker, async () => {
        begun.push(name)
        await new Promise<void>((resolve) => ends.push(resolve))
      }),
    )
    outcome.catch(() => undefined)
    return outcome
  }

  /** Lets what runs end, one after the other, until nothing runs. */
  const endAll = async (): Promise<void> => {
    for (let end = ends.shift(); end; end = ends.shift()) {
      end()
      await settle()
    }
  }

  const settle = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve))
  }

  it('begins at once while there is room, and no more than that', async () => {
    const fair = queueOf(2, 10)
    for (const name of ['a1', 'a2', 'a3']) void queue(fair, of('a'), name)
    await settle()

    expect(begun).to.deep.equal(['a1', 'a2'])
    await endAll()
    expect(begun).to.deep.equal(['a1', 'a2', 'a3'])
  })

  it('gives each network its turn, and within one the first the first', async () => {
    const fair = queueOf(1, 10)
    for (const name of ['a1', 'a2', 'a3', 'a4']) void queue(fair, of('a'), name)
    for (const name of ['b1', 'b2']) void queue(fair, of('b'), name)
    void queue(fair, of('c'), 'c1')
    await settle()
    await endAll()

    expect(begun).to.deep.equal(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4'])
  })

  it('begins nothing that is too late by its turn, and goes on with the next', async () => {
    const fair = queueOf(1, 10)
    let isThere = true
    void queue(fair, of('a'), 'a1')
    const gone = [2, 3, 4].map((n) =>
      queue(
        fair,
        of('a', () => isThere),
        `a${n}`,
      ),
    )
    const waiting = queue(fair, of('a'), 'a5')
    isThere = false
    await settle()
    await endAll()

    expect(begun).to.deep.equal(['a1', 'a5'])
    expect(await Promise.all([...gone, waiting])).to.deep.equal([
      'unavailable',
      'unavailable',
      'unavailable',
      'resolved',
    ])
    // The place is free again.
    void queue(fair, of('b'), 'b1')
    await settle()
    expect(begun.at(-1)).to.equal('b1')
    await endAll()
  })

  it('makes room for a network that waits for less, at the cost of the last one of the longest line', async () => {
    const fair = queueOf(1, 4)
    const crowd = ['a1', 'a2', 'a3', 'a4', 'a5'].map((name) => queue(fair, of('a'), name))
    const newcomer = queue(fair, of('b'), 'b1')
    await settle()
    await endAll()

    expect(await newcomer).to.equal('resolved')
    expect(await Promise.all(crowd)).to.deep.equal([
      'resolved',
      'resolved',
      'resolved',
      'resolved',
      'unavailable',
    ])
    expect(begun).to.deep.equal(['a1', 'a2', 'b1', 'a3', 'a4'])
  })

  it('refuses one more of the longest line, and of lines that are all as short', async () => {
    const fair = queueOf(1, 2)
    const first = queue(fair, of('a'), 'a1')
    const waiting = [queue(fair, of('a'), 'a2'), queue(fair, of('b'), 'b1')]
    const refused = [queue(fair, of('a'), 'a3'), queue(fair, of('c'), 'c1')]

    expect(await Promise.all(refused)).to.deep.equal(['unavailable', 'unavailable'])
    await settle()
    await endAll()
    expect(await Promise.all([first, ...waiting])).to.deep.equal(['resolved', 'resolved', 'resolved'])
  })

  it('hands the place on when work fails', async () => {
    const fair = queueOf(1, 2)
    const failing = fair.run(of('a'), async () => await Promise.reject(new Error('a defect')))
    const next = queue(fair, of('a'), 'a2')

    expect(await failing.catch((error: unknown) => (error as Error).message)).to.equal('a defect')
    await settle()
    await endAll()
    expect(await next).to.equal('resolved')
  })
})
