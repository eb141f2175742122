// What a rule or a port rejected with.
import { AuthError, type AuthErrorCode } from '../../../src/auth/errors.ts'

/** The code it rejects with, or `resolved`; any other error is a failure of the test. */
export async function refusalOf(work: Promise<unknown>): Promise<AuthErrorCode | 'resolved'> {
  return await work.then(
    () => 'resolved' as const,
    (error: unknown) => {
      if (error instanceof AuthError) return error.code
      throw error
    },
  )
}

/** The same of what throws at once. */
export function refusalBy(work: () => unknown): AuthErrorCode | 'resolved' {
  try {
    work()
    return 'resolved'
  } catch (error) {
    if (error instanceof AuthError) return error.code
    throw error
  }
}
