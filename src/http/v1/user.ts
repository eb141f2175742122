// A user, as the account API answers it.
import { z } from 'zod'

export const user = z.object({ id: z.uuid(), username: z.string(), role: z.string() })
