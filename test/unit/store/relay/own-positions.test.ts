// Which positions an instance may call its own.
import { expect } from 'chai'
import { ownPositions, type OwnPositions } from '../../../../src/store/relay/own-positions.ts'
import { partitionState } from '../../../support/builders/partition-state.ts'

describe('ownPositions', () => {
  let lose: () => void
  let own: OwnPositions

  beforeEach(() => {
    own = ownPositions({
      onLoss: (listener) => {
        lose = listener
      },
    })
  })

  const reach = async (partition: string, position: string) => {
    await own.reaching(async () => await Promise.resolve(new Map([[partition, position]])))
  }
  const isOwn = (partition: string, positionText: string) =>
    own.isOwn(partitionState({ partition, positionText }))

  it('are those that it has reached, for as long as the partition stands there', async () => {
    await reach('0a', 'first')
    await reach('0b', 'other')
    await reach('0a', 'second')

    expect([own.of('0a'), own.of('0b'), own.of('0c')]).to.deep.equal(['second', 'other', undefined])
    expect([isOwn('0a', 'second'), isOwn('0a', 'first'), isOwn('0b', 'second')]).to.deep.equal([
      true,
      false,
      false,
    ])
  })

  it('are none where nothing stands, also where it has brought nothing anywhere', async () => {
    await reach('0a', 'first')

    expect([isOwn('0a', ''), isOwn('0c', '')]).to.deep.equal([false, false])
  })

  it('are none after the connection broke, or it was told to forget', async () => {
    await reach('0a', 'first')
    lose()
    const afterLoss = own.of('0a')
    await reach('0a', 'second')
    own.forget()

    expect([afterLoss, own.of('0a')]).to.deep.equal([undefined, undefined])
  })

  it('are not those that were reached while the connection broke, or while it was told to forget', async () => {
    const forget = () => {
      own.forget()
    }
    for (const event of [lose, forget])
      await own.reaching(async () => {
        event()
        return await Promise.resolve(new Map([['0a', 'first']]))
      })

    expect(own.of('0a')).to.equal(undefined)
  })

  it('stay as they are when the work fails', async () => {
    await reach('0a', 'first')
    const failed = own.reaching(async () => await Promise.reject(new Error('no')))

    expect(await failed.catch((error: unknown) => error)).to.have.property('message', 'no')
    expect(own.of('0a')).to.equal('first')
  })
})
