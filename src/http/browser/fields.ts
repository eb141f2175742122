// The fields of a logout with the cookie, in the body or in the query.
import { z } from 'zod'

const allDevices = z.union([z.boolean(), z.enum(['true', 'false'])])

export const cookieLogoutFields = z.object({
  all_devices: allDevices.optional().describe('Whether every session of the user ends.'),
})
