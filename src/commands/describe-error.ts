// Says what went wrong, in words for a person at a terminal.
import { AuthError } from '../auth/errors.ts'

/** The rules give their reasons; a store that cannot answer says so itself, one level down. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Refused at every address of a name: such an error has no message of its own.
  if (error instanceof AggregateError && error.errors.length > 0) return describeError(error.errors[0])
  if (!(error instanceof AuthError)) return error.message
  if (error.reasons.length > 0) return error.reasons.join(' ')
  return error.cause instanceof Error ? describeError(error.cause) : error.message
}
