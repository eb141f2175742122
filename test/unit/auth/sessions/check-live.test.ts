// Live or not: every answer of the denylist, with every answer of the journal behind it.
import { expect } from 'chai'
import { checkLive } from '../../../../src/auth/sessions/check-live.ts'
import { AuthError } from '../../../../src/auth/errors.ts'
import type { Denylist, Journal } from '../../../../src/auth/ports/denials.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

const IDS = { sid: 'a session', jti: 'a token' }

describe('checkLive', () => {
  const cases = [
    { denylist: 'live', journal: 'denied', verdict: 'resolved', asked: 0 },
    { denylist: 'denied', journal: 'live', verdict: 'token_denied', asked: 0 },
    { denylist: 'denied', journal: 'down', verdict: 'token_denied', asked: 0 },
    { denylist: 'live', journal: 'down', verdict: 'resolved', asked: 0 },
    { denylist: 'unknown', journal: 'live', verdict: 'resolved', asked: 1 },
    { denylist: 'unknown', journal: 'denied', verdict: 'token_denied', asked: 1 },
    { denylist: 'unknown', journal: 'down', verdict: 'unavailable', asked: 1 },
  ] as const
  for (const { denylist, journal, verdict, asked } of cases) {
    it(`is ${verdict} when the denylist says ${denylist} and the journal is or says ${journal}`, async () => {
      const questions: unknown[] = []
      const deps = {
        denylist: { check: async () => await Promise.resolve(denylist) } as unknown as Denylist,
        journal: {
          isDenied: async (ids: unknown) => {
            questions.push(ids)
            if (journal === 'down') throw new AuthError('unavailable')
            return await Promise.resolve(journal === 'denied')
          },
        } as unknown as Journal,
      }

      const answer = await refusalOf(checkLive(deps, IDS))

      expect(answer).to.equal(verdict)
      expect(questions).to.deep.equal(Array.from({ length: asked }, () => IDS))
    })
  }
})
