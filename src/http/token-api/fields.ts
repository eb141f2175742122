// The fields that endpoints of the token API share, with the messages that a SimpleJWT client knows.
import { z } from 'zod'
import { MAX_PASSWORD_BYTES } from '../../auth/accounts/password-rules.ts'
import { RefusalError } from '../errors.ts'
import { isWellFormed, loneSurrogate } from '../request/well-formed.ts'
import type { Fields } from './parse-body.ts'

/** Never a number, which some endpoints take for its text. */
export const text = z
  .string({
    error: ({ input }) => {
      if (input === undefined) return 'This field is required.'
      return input === null ? 'This field may not be null.' : 'Not a valid string.'
    },
  })
  .refine((value) => value.trim() !== '', { error: 'This field may not be blank.', abort: true })
  .refine((value) => !value.includes('\0'), 'Null characters are not allowed.')
  .refine(isWellFormed, {
    error: ({ input }) => `Surrogate characters are not allowed: ${loneSurrogate(String(input))}.`,
  })

export const trimmed = z.preprocess(
  numberAsText,
  text.transform((value) => value.trim()),
)

export const password = z.preprocess(
  numberAsText,
  text.refine(
    (value) => Buffer.byteLength(value) <= MAX_PASSWORD_BYTES,
    `Ensure this field has no more than ${MAX_PASSWORD_BYTES} bytes.`,
  ),
)

export const refreshFields = z.object({ refresh: trimmed })

/** The validated fields. Throws a 400 that lists every field's first problem. */
export function validateFields<Schema extends z.ZodObject>(schema: Schema, fields: Fields): z.infer<Schema> {
  const result = schema.safeParse(fields)
  if (result.success) return result.data

  const body: Record<string, string[]> = {}
  for (const { path, message } of result.error.issues) body[String(path[0])] ??= [message]
  throw new RefusalError({ status: 400, body })
}

function numberAsText(value: unknown): unknown {
  if (typeof value !== 'number') return value
  return Number.isInteger(value) ? BigInt(value).toString() : String(value)
}
