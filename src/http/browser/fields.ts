// The fields that the browser dialect takes: of a login, and of a logout with the cookie, in the body or in the query.
import { z } from 'zod'
import { credentials } from '../credentials.ts'

export const loginFields = credentials.extend({
  remember_me: z
    .boolean('true or false is expected.')
    .optional()
    .describe('Whether the cookie outlives the browser, for as long as its refresh token lives.'),
})

const allDevices = z.union([z.boolean(), z.enum(['true', 'false'])])

export const cookieLogoutFields = z.object({
  all_devices: allDevices.optional().describe('Whether every session of the user ends.'),
})
