// The deadline that holds for a request as a whole.
import { expect } from 'chai'
import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import { requestDeadline } from '../../../../src/http/server/request-deadline.ts'
import { fakeClock } from '../../../support/fakes/fake-clock.ts'
import { recordingLog } from '../../../support/fakes/recording-log.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('requestDeadline', () => {
  const start = () => {
    const clock = fakeClock()
    const log = recordingLog()
    const dismissed: IncomingMessage[] = []
    const progress = { atMs: -Infinity }
    const callers = {
      arrived: () => undefined,
      dismiss: (request: IncomingMessage) => void dismissed.push(request),
      progressedAtMs: () => progress.atMs,
    }
    const deadline = requestDeadline({ callers, log }, clock)
    const ask = (stepsMs: readonly number[]) => {
      const ctx = { req: {}, _matchedRoute: '/auth/login' } as unknown as Context
      const steps = async (): Promise<void> => {
        for (const ms of stepsMs) await new Promise<void>((resolve) => clock.after(ms, resolve))
      }
      return refusalOf(deadline(ctx, steps) as Promise<unknown>)
    }
    return { clock, log, dismissed, progress, ask }
  }

  it('leaves alone what is answered in time', async () => {
    const { clock, log, dismissed, ask } = start()
    const outcome = ask([1000, 1400])
    await clock.advance(5000)

    expect(await outcome).to.equal('resolved')
    expect(dismissed).to.deep.equal([])
    expect(log.lines).to.deep.equal([])
    expect(clock.nextMs()).to.equal(null)
  })

  it('rejects what is not, each of whose steps would pass, and notes that nobody waits for it any more', async () => {
    const { clock, dismissed, ask } = start()
    const outcome = ask([1700, 1700])
    await clock.advance(2499)
    expect(dismissed).to.have.length(0)
    await clock.advance(1)

    expect(await outcome).to.equal('unavailable')
    expect(dismissed).to.have.length(1)
  })

  it('leaves long work the time that it needs while it comes further, and not when it is stuck', async () => {
    const { clock, dismissed, progress, ask } = start()
    const outcome = ask([60_000])
    for (let step = 0; step < 5; step += 1) {
      await clock.advance(2000)
      progress.atMs = clock.steadyMs()
    }
    await clock.advance(2499)
    expect(dismissed).to.have.length(0)
    await clock.advance(1)

    expect(await outcome).to.equal('unavailable')
  })

  it('tells so once a minute, with the route', async () => {
    const { clock, log, ask } = start()
    const late = [ask([3000]), ask([3000])]
    await clock.advance(3000)
    await Promise.all(late)
    expect(log.lines).to.have.length(1)
    expect(log.lines[0]?.level).to.equal('warn')
    expect(JSON.stringify(log.lines[0])).to.include('/auth/login')

    await clock.advance(60_000)
    const again = ask([3000])
    await clock.advance(3000)
    await again
    expect(log.lines).to.have.length(2)
  })

  it('leaves what fails in time its own reason, and what fails later unheard', async () => {
    const { clock } = start()
    const deadline = requestDeadline(
      {
        callers: { arrived: () => undefined, dismiss: () => undefined, progressedAtMs: () => -Infinity },
        log: recordingLog(),
      },
      clock,
    )
    const ctx = { req: {} } as unknown as Context
    const failing = async (ms: number): Promise<void> => {
      await new Promise<void>((resolve) => clock.after(ms, resolve))
      throw new Error('a defect')
    }
    const outcomes = [10, 3000].map(async (ms) => {
      try {
        await (deadline(ctx, async () => {
          await failing(ms)
        }) as Promise<unknown>)
        return 'answered'
      } catch (error) {
        return (error as Error).message
      }
    })
    await clock.advance(5000)

    expect((await Promise.all(outcomes))[0]).to.equal('a defect')
    expect((await Promise.all(outcomes))[1]).not.to.equal('a defect')
  })
})
