// What a verifier rejected with.
import { TokenError, type TokenErrorCode } from '../../../src/peer/token-error.ts'

/** The code it rejects with, or `resolved`; any other error is a failure of the test. */
export async function tokenRefusalOf(work: Promise<unknown>): Promise<TokenErrorCode | 'resolved'> {
  return await work.then(
    () => 'resolved' as const,
    (error: unknown) => {
      if (error instanceof TokenError) return error.code
      throw error
    },
  )
}
