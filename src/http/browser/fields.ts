// The fields of a login of the browser dialect.
import { z } from 'zod'
import { credentials } from '../request/credentials.ts'

export const loginFields = credentials.extend({
  remember_me: z
    .boolean('true or false is expected.')
    .optional()
    .describe('Whether the cookie outlives the browser, for as long as its refresh token lives.'),
})
