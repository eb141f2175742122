// What a command says when Redis cannot be told of what it has ended.
import { expect } from 'chai'
import { redisTeller } from '../../../src/commands/tell-redis.ts'
import { recordingLog } from '../../support/fakes/recording-log.ts'

const DENIAL = { id: '01a22ace-d62d-735f-96e6-7775e8c8c862', ttlMs: 60_000 }

describe('redisTeller', () => {
  it('says once that Redis was not told, however many batches there are, and answers no for each', async () => {
    const log = recordingLog()
    const tell = redisTeller({
      redisUrl: null,
      redisPrefix: '',
      journalName: async () => await untold(),
      log,
    })

    const answers = [await tell([]), await tell([DENIAL]), await tell([DENIAL])]

    expect(answers).to.deep.equal([true, false, false])
    expect(log.lines).to.have.length(1)
    expect(JSON.stringify(log.lines[0])).to.include('Redis was not told (REDIS_URL is not set)')
  })
})

async function untold(): Promise<string> {
  return await Promise.reject(new Error('not expected'))
}
