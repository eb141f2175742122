// The passwords that are guessed first, from the ranked list that zxcvbn maintains.
import { dictionary } from '@zxcvbn-ts/language-common'

const COUNT = 10_000
const COMMON = new Set(
  dictionary['passwords-common'].slice(0, COUNT).map((password) => password.toLowerCase()),
)

/** Whether it is among the 10,000 most common passwords; case does not count. */
export function isCommonPassword(password: string): boolean {
  return COMMON.has(password.toLowerCase())
}
