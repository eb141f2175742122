// Keys of the tests' own, and tokens signed with them.
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Grant, Tokens } from '../../../src/auth/ports/tokens.ts'
import { fixedSigners } from '../../../src/tokens/access-keys.ts'
import { accessSeal } from '../../../src/tokens/access-seal.ts'
import { es256, hs256 } from '../../../src/tokens/jws.ts'
import { jwtTokens, type JwtTokensOptions } from '../../../src/tokens/jwt-tokens.ts'
import type { ManualClock } from '../fakes/manual-clock.ts'

export interface TestKeys {
  kid: string
  privateKey: KeyObject
  publicKey: KeyObject
  refreshSecret: Buffer
  sealKey: Buffer
}

export const ISSUER = 'https://signoff.test'
export const AUDIENCE = 'peers'
export const REFRESH_AUDIENCE = `${ISSUER}/auth/token/refresh/`

export function testKeys(kid = 'key-1'): TestKeys {
  return {
    kid,
    ...generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    refreshSecret: randomBytes(48),
    sealKey: randomBytes(32),
  }
}

export function testTokens(
  keys: TestKeys,
  clock: ManualClock,
  options: Partial<JwtTokensOptions> = {},
): Tokens {
  return jwtTokens({
    accessSigners: fixedSigners([{ kid: keys.kid, signer: es256(keys) }]),
    refreshSigner: hs256(keys.refreshSecret),
    accessSeal: accessSeal(keys.sealKey),
    issuer: ISSUER,
    audience: AUDIENCE,
    accessTtlSeconds: 300,
    refreshTtlSeconds: 86_400,
    leewaySeconds: 5,
    now: clock.now,
    ...options,
  })
}

export function grant(parts: Partial<Grant> = {}): Grant {
  return { sid: uuidv7(), userId: uuidv7(), scope: 'user', ...parts }
}
