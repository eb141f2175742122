// The fields that the JSON dialects share: usernames, passwords, tokens.
import { z } from 'zod'
import { MAX_PASSWORD_BYTES } from '../../auth/accounts/password-rules.ts'

const hasNoNul = (text: string) => !text.includes('\0')

/** Of any length and content. */
export const anyText = z.string({
  error: ({ input }) => (input === undefined ? 'This field is required.' : 'A string is expected.'),
})

const text = anyText
  .refine((value) => value.trim() !== '', { error: 'This field may not be blank.', abort: true })
  .refine(hasNoNul, 'Null characters are not allowed.')

/** Compared without case; spaces around it do not count. */
const username = text.transform((value) => value.trim()).pipe(z.string())

/** Taken whole, and never altered. */
export const password = text.refine(
  (value) => Buffer.byteLength(value) <= MAX_PASSWORD_BYTES,
  `At most ${MAX_PASSWORD_BYTES} bytes are allowed.`,
)

export const token = text

export const credentials = z.object({ username, password })
