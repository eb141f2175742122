// A command waits until every instance that is there has read the list with its name on it.
import { expect } from 'chai'
import type { ListedInstance } from '../../../../src/store/postgres/instances.ts'
import { introduce } from '../../../../src/store/vouching/introduce.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'

describe('introduce', () => {
  let clock: FakeClock
  let others: ListedInstance[]

  const present = (): Promise<ListedInstance[]> =>
    Promise.resolve([other({ id: 'self', isCommand: true }), ...others])
  const deps = () => ({ clock, instanceId: 'self', instances: { present } })
  const other = (over: Partial<ListedInstance> = {}): ListedInstance => ({
    id: 'one',
    name: 'one',
    seenAtMs: clock.epochMs(),
    isPresent: true,
    isCommand: false,
    settings: null,
    ...over,
  })
  /** What it has come to after that time. */
  const after = async (ms: number, introduced: Promise<boolean>): Promise<boolean | 'waits'> => {
    let outcome: boolean | 'waits' = 'waits'
    void introduced.then((known) => {
      outcome = known
    })
    await clock.advance(ms)
    return outcome
  }

  beforeEach(() => {
    clock = fakeClock()
    others = []
  })

  it('waits for nobody where nobody is there, or all have left', async () => {
    others = [other({ isPresent: false })]

    expect(await introduce(deps())).to.equal(true)
  })

  it('does not wait for another command, which reads the list no more', async () => {
    others = [other({ isCommand: true })]

    expect(await introduce(deps())).to.equal(true)
  })

  it('waits for each that has not read the list since', async () => {
    others = [other(), other({ id: 'two' })]
    const introduced = introduce(deps())

    const atFirst = await after(900, introduced)
    others = [other(), ...others.slice(1)]
    const afterOne = await after(900, introduced)
    others = [...others.slice(0, 1), other({ id: 'two' })]

    expect([atFirst, afterOne, await after(200, introduced)]).to.deep.equal(['waits', 'waits', true])
  })

  it('does not wait for one that is gone, nor for one that has come meanwhile', async () => {
    others = [other()]
    const introduced = introduce(deps())
    await after(500, introduced)
    others = [other({ seenAtMs: 0, isPresent: false }), other({ id: 'new', seenAtMs: 0 })]

    expect(await after(200, introduced)).to.equal(true)
  })

  it('says so when one is there and reads nothing', async () => {
    others = [other()]
    const introduced = introduce(deps())

    expect([await after(14_000, introduced), await after(2000, introduced)]).to.deep.equal(['waits', false])
  })
})
