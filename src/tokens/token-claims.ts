// The claims of our own tokens, in the one spelling that we write.
import { z } from 'zod'
import { AuthError } from '../auth/errors.ts'
import {
  MAX_ACCESS_TOKEN_SECONDS,
  MAX_SESSION_SECONDS,
  type AccessClaims,
  type RefreshClaims,
} from '../contract/claims.ts'

/** The client that logs in here: the first-party one (RFC 9068 section 2.2 demands a `client_id`). */
export const CLIENT_ID = 'signoff'

export type SignedClaims = (AccessClaims | RefreshClaims) & { nbf?: number | undefined }

export interface ExpectedClaims {
  schema: z.ZodType<SignedClaims>
  issuer: string
  audience: string
}

// In upper case it would be the same session to Postgres, and another one to the denylist.
const id = z.uuid().lowercase()
const seconds = z.int()

const commonClaims = z.object({
  iss: z.string(),
  aud: z.string(),
  sub: id,
  jti: id,
  sid: id,
  iat: seconds,
  exp: seconds,
  nbf: z.number().optional(),
  scope: z.string(),
})

const accessClaimsWith = (jti: z.ZodString | z.ZodUUID) =>
  commonClaims
    .extend({
      jti,
      token_type: z.literal('access'),
      client_id: z.literal(CLIENT_ID),
      user_id: id,
    })
    .refine(({ sub, user_id }) => user_id === sub)
    .refine(livesNoLongerThan(MAX_ACCESS_TOKEN_SECONDS))

export const accessClaims = accessClaimsWith(id)

/** Of a token under a shared secret, whose `jti` is a seal. */
export const sealedAccessClaims = accessClaimsWith(z.string())

export const refreshClaims = commonClaims
  .extend({
    token_type: z.literal('refresh'),
    gen: z.int().nonnegative().optional(),
    persistent: z.literal(true).optional(),
    claims: z.record(z.string(), z.unknown()).optional(),
  })
  .refine(livesNoLongerThan(MAX_SESSION_SECONDS))

/** Throws `token_invalid`. */
export function parseClaims(payload: unknown, { schema, issuer, audience }: ExpectedClaims): SignedClaims {
  const result = schema.safeParse(payload)
  const isOurs = result.data?.iss === issuer && result.data.aud === audience
  if (!result.success || !isOurs) throw new AuthError('token_invalid')
  return result.data
}

/** By the longest that any setting allows: the one of today may be shorter than when the token was made. */
function livesNoLongerThan(maxSeconds: number) {
  return ({ iat, exp }: { iat: number; exp: number }): boolean => exp - iat <= maxSeconds
}
