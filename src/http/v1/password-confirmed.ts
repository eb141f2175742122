// Where the password is asked for once more: how a wrong one is told to who is logged in, and how that is described.
import type { ZodOpenApiResponsesObject } from 'zod-openapi'
import { AuthError, type AuthErrorCode } from '../../auth/errors.ts'
import { RefusalError, type FieldProblem } from '../errors.ts'
import { TOKEN_MISSING } from './authenticated.ts'
import { passwordIncorrect } from './errors.ts'
import { BAD_TOKEN, MALFORMED, refused } from './refusals.ts'

/** Rejects with 403 where `change` rejects with `credentials_invalid`. */
export async function passwordConfirmed(change: Promise<void>): Promise<void> {
  try {
    await change
  } catch (error) {
    const isWrong = error instanceof AuthError && error.code === 'credentials_invalid'
    throw isWrong ? new RefusalError(passwordIncorrect) : error
  }
}

/** The refusals of such an endpoint: these rules, and those that all of them have in common. */
export function refusedWithPassword(
  rules: AuthErrorCode[],
  problem: FieldProblem,
): ZodOpenApiResponsesObject {
  return refused({
    rules: [...BAD_TOKEN, ...rules],
    http: MALFORMED,
    problems: [problem],
    others: { ...TOKEN_MISSING, password_incorrect: passwordIncorrect },
  })
}
