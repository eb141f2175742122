// The bodies and queries that /api/v1 takes; what validates them also describes them.
import { z } from 'zod'
import { logoutScopeFields } from '../request/logout-scope.ts'
import { anyText, password, token } from '../request/credentials.ts'

/** Of any length and content: what is wrong with them is for the rules to say, with reasons. */
export const registration = z.object({ username: anyText, password: anyText })

export const refreshBody = z.object({ refresh_token: token })

// A field that is not known here is refused, and so none must be left out.
export const logoutBody = z.looseObject({ refresh_token: token.optional(), ...logoutScopeFields.shape })

export const removal = z.looseObject({ password })

export const passwordChange = z.looseObject({ current_password: password, new_password: anyText })

/** Of a request that says all in its path. */
export const nothing = z.looseObject({})

/** Of any text; only one of a session of the user's leads anywhere. */
export const sessionPath = z.object({ id: z.string() })

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100
const numberExpected = `A whole number from 1 to ${MAX_LIMIT} is expected.`

/** Of a list that is answered in pages, the newest first. */
export const pageQuery = z.object({
  cursor: z.uuid('The next_cursor of an earlier answer is expected.').optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, numberExpected)
    .transform(Number)
    .pipe(z.number().min(1, numberExpected).max(MAX_LIMIT, numberExpected))
    .default(DEFAULT_LIMIT),
})
