// The user of a browser session, as login and reading answer it.
import { z } from 'zod'

export const user = z.object({ id: z.uuid(), username: z.string(), role: z.string() })
