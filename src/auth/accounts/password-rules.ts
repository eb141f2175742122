// The rules for a new password.
import { AuthError } from '../errors.ts'
import { usernameKey } from './username-key.ts'

const MIN_PASSWORD_CHARACTERS = 8
/** Longer ones are taken from nobody, neither for a new password nor at login. */
export const MAX_PASSWORD_BYTES = 4096

export interface NewCredentials {
  username: string
  password: string
}

/** Whether a password is among the most common ones. */
export type IsCommonPassword = (password: string) => boolean

/** Everything that is wrong with the password, a sentence each; empty for a good one. */
export function passwordProblems(
  { username, password }: NewCredentials,
  isCommon: IsCommonPassword,
): string[] {
  const isTooLong = Buffer.byteLength(password) > MAX_PASSWORD_BYTES
  const rules = [
    {
      isBroken: characters(password) < MIN_PASSWORD_CHARACTERS,
      reason: `The password is shorter than ${MIN_PASSWORD_CHARACTERS} characters.`,
    },
    { isBroken: isTooLong, reason: `The password is longer than ${MAX_PASSWORD_BYTES} bytes.` },
    // Login takes neither of these two, so such a password would never let anybody in.
    { isBroken: password.trim() === '', reason: 'The password is nothing but spaces.' },
    { isBroken: password.includes('\0'), reason: 'The password has a NUL character.' },
    // Half a character becomes a replacement character on its way: any half would do as well.
    { isBroken: /\p{Cs}/u.test(password), reason: 'The password has half of a character.' },
    {
      isBroken: usernameKey(password) === usernameKey(username),
      reason: 'The password is the same as the username.',
    },
    {
      isBroken: !isTooLong && isCommon(password),
      reason: 'The password is among the 10,000 most common ones.',
    },
  ]
  return rules.filter(({ isBroken }) => isBroken).map(({ reason }) => reason)
}

/** Throws `password_too_weak`, with every reason. */
export function checkPassword(credentials: NewCredentials, isCommon: IsCommonPassword): void {
  const reasons = passwordProblems(credentials, isCommon)
  if (reasons.length > 0) throw new AuthError('password_too_weak', { reasons })
}

/** As a person counts them, nearly: code points. */
function characters(text: string): number {
  return Array.from(text).length
}
