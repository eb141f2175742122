// Accepts tokens of other login services, as the service does.
import type { ForeignTokens } from '../../../src/auth/ports/tokens.ts'
import { foreignTokens, type ForeignTokensOptions } from '../../../src/tokens/foreign-tokens.ts'
import { ISSUER } from './test-keys.ts'

/** Of a day. */
export const MAX_AGE_SECONDS = 86_400

/** Without a secret and without issuers, unless `options` has them. */
export function testForeignTokens(
  clock: Pick<ForeignTokensOptions, 'now'>,
  options: Partial<ForeignTokensOptions> = {},
): ForeignTokens {
  return foreignTokens({
    secretKey: null,
    issuers: [],
    ownIssuer: ISSUER,
    leewaySeconds: 5,
    maxAgeSeconds: MAX_AGE_SECONDS,
    now: clock.now,
    onFetchFailure: () => undefined,
    onOutlivesDenial: () => undefined,
    onWeakKey: () => undefined,
    ...options,
  })
}
