// The keys of access tokens as they stand at this moment: the one that signs, those that verify, those that are published.
import type { JWK } from 'jose'
import type { EpochSeconds } from '../contract/claims.ts'
import { es256, hs256 } from './jws.ts'
import type { AccessSigners, NamedSigner } from './jwt-tokens.ts'
import { keySchedule, type ScheduledKey } from './key-schedule.ts'
import { publicJwks, type SigningKey, type SigningKeys } from './signing-keys.ts'

export interface AccessKeys {
  signers: AccessSigners
  /** The keys that are published (RFC 7517 section 5). */
  jwks: () => { keys: JWK[] }
  /** The names of all keys, in the order of the file. */
  kids: () => string[]
}

export interface ScheduledKeysDeps {
  /** As the file has them now. */
  keys: () => SigningKeys
  holdSeconds: number
  now: () => EpochSeconds
}

/** By the times that stand beside the keys. */
export function scheduledAccessKeys({ keys, holdSeconds, now }: ScheduledKeysDeps): AccessKeys {
  // As long as the file is the same, so are its keys.
  const signers = new WeakMap<SigningKey, NamedSigner>()
  const schedule = (): ScheduledKey<SigningKey>[] => keySchedule(keys(), { now: now(), holdSeconds })
  const published = (): SigningKey[] =>
    schedule().flatMap(({ key, state }) => (state === 'retired' ? [] : [key]))

  return {
    signers: {
      signing: () => {
        const { key } = schedule().find(({ state }) => state === 'signs') ?? { key: keys()[0] }
        return signerOf(key)
      },
      find: (kid) => find(published(), kid),
      findRetiredToo: (kid) => find(keys(), kid),
    },
    jwks: () => publicJwks(published()),
    kids: () => keys().map(({ kid }) => kid),
  }

  function find(among: readonly SigningKey[], kid: unknown): NamedSigner | undefined {
    const key = among.find((candidate) => candidate.kid === kid)
    return key && signerOf(key)
  }

  function signerOf(key: SigningKey): NamedSigner {
    const signer = signers.get(key) ?? { kid: key.kid, signer: es256(key) }
    signers.set(key, signer)
    return signer
  }
}

/** For peers that share a secret: that secret, and an empty JWKS. */
export function sharedAccessKeys(sharedSecret: string): AccessKeys {
  return {
    signers: fixedSigners([{ signer: hs256(Buffer.from(sharedSecret)) }]),
    jwks: () => ({ keys: [] }),
    kids: () => [],
  }
}

/** The first one signs, all of them verify, for ever. */
export function fixedSigners(signers: readonly [NamedSigner, ...NamedSigner[]]): AccessSigners {
  const find = (kid: unknown): NamedSigner | undefined => signers.find((signer) => signer.kid === kid)
  return { signing: () => signers[0], find, findRetiredToo: find }
}
