// The settings that must be the same at all instances: with one that differs they are not one service.
import type { AgreedSettings } from '../store/relay/settings-report.ts'
import { fingerprint } from '../tokens/fingerprint.ts'
import { hs256, type Signer } from '../tokens/jws.ts'

const SHOWN = [
  'ISSUER',
  'AUDIENCE',
  'ACCESS_TOKEN_ALG',
  'ACCESS_TOKEN_TTL',
  'REFRESH_TOKEN_TTL',
  'SESSION_MAX_AGE',
  'REFRESH_ROTATION',
  'ROTATION_GRACE',
  'LEEWAY',
  'DENYLIST_LEASE',
  'REDIS_PREFIX',
] as const

export interface AgreeingInstance {
  config: Readonly<Record<(typeof SHOWN)[number], string | number>> & { SECRET_KEY?: string | undefined }
  keys: { refresh: Signer }
}

/** A row of each instance has them. */
const MAX_KIDS_LENGTH = 2000

/** Of this instance; `kids` are the names of the signing keys that it has now. */
export function agreedSettings({ config, keys }: AgreeingInstance, kids: readonly string[]): AgreedSettings {
  const { SECRET_KEY } = config
  const shown = Object.fromEntries(SHOWN.map((name) => [name, String(config[name])]))
  return {
    shown: { ...shown, SIGNING_KEYS_FILE: kids.join(' ').slice(0, MAX_KIDS_LENGTH) },
    hidden: {
      REFRESH_KEY_FILE: fingerprint(keys.refresh),
      SECRET_KEY: SECRET_KEY === undefined ? 'none' : fingerprint(hs256(Buffer.from(SECRET_KEY))),
    },
  }
}
