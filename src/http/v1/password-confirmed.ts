// How a wrong password is told to who is logged in.
import { AuthError } from '../../auth/errors.ts'
import { RefusalError } from '../errors.ts'
import { passwordIncorrect } from './errors.ts'

/** Rejects with 403 where `change` rejects with `credentials_invalid`. */
export async function passwordConfirmed(change: Promise<void>): Promise<void> {
  try {
    await change
  } catch (error) {
    const isWrong = error instanceof AuthError && error.code === 'credentials_invalid'
    throw isWrong ? new RefusalError(passwordIncorrect) : error
  }
}
