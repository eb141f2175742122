// A list that is answered in pages, the newest first: what may be asked, and how it is described.
import { z } from 'zod'
import type { FieldProblem } from '../errors.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100
const numberExpected = `A whole number from 1 to ${MAX_LIMIT} is expected.`

export const pageQuery = z.object({
  cursor: z.uuid('The next_cursor of an earlier answer is expected.').optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, numberExpected)
    .transform(Number)
    .pipe(z.number().min(1, numberExpected).max(MAX_LIMIT, numberExpected))
    .default(DEFAULT_LIMIT),
})

/** Describes the answer. */
export const PAGE = 'The newest first; `next_cursor` leads to older ones, and is `null` at the end.'

/** The id of the last entry of the page, where there are older ones. */
export const nextCursor = z.string().nullable()

/** An example of what is wrong with a query. */
export const BAD_PAGE: FieldProblem[] = [{ field: 'limit', message: numberExpected }]

/** Where an entry comes from, in the examples of both lists. */
export const DEVICE = {
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  ip_address: '192.0.2.7',
}
