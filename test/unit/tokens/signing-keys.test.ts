// The private JWKS: what is taken, what is refused and why, and what of it is published.
import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify, type JWK } from 'jose'
import { fixedSigners } from '../../../src/tokens/access-keys.ts'
import { es256 } from '../../../src/tokens/jws.ts'
import { generateSigningKeys, publicJwks, readSigningKeys } from '../../../src/tokens/signing-keys.ts'
import { grant, testKeys, testTokens } from '../../support/builders/test-keys.ts'
import { manualClock } from '../../support/fakes/manual-clock.ts'

type Jwk = Record<string, unknown>

const NOT_A_JWKS = 'not a private JWKS: expected {"keys":[…]} with EC P-256 keys that have x, y and d'

const privateJwk = (namedCurve = 'P-256'): Jwk =>
  generateKeyPairSync('ec', { namedCurve }).privateKey.export({ format: 'jwk' })

const read = async (...keys: Jwk[]) => await readSigningKeys(JSON.stringify({ keys }))

const complaint = async (text: string): Promise<string> =>
  await readSigningKeys(text).then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  )

describe('readSigningKeys', () => {
  it('reads what generateSigningKeys makes, named by its thumbprint', async () => {
    const text = await generateSigningKeys()

    const [key, ...others] = await readSigningKeys(text)

    const jwk = key.publicKey.export({ format: 'jwk' })
    expect(others).to.deep.equal([])
    expect(key.kid).to.equal(await calculateJwkThumbprint(jwk))
    expect(key.privateKey.asymmetricKeyDetails).to.deep.equal({ namedCurve: 'prime256v1' })
  })

  it('keeps the order and the names that the keys have', async () => {
    const keys = await read({ ...privateJwk(), kid: 'b' }, { ...privateJwk(), kid: 'a' })

    expect(keys.map(({ kid }) => kid)).to.deep.equal(['b', 'a'])
  })

  it('names a key without a name by its thumbprint, which is that of its public part', async () => {
    const jwk = privateJwk()
    const { kty, crv, x, y } = jwk

    const [key] = await read(jwk)

    expect(key.kid).to.equal(await calculateJwkThumbprint({ kty, crv, x, y } as JWK))
  })

  it('passes over members it does not need', async () => {
    const [key] = await read({
      ...privateJwk(),
      kid: 'k',
      use: 'sig',
      alg: 'ES256',
      key_ops: ['sign'],
      x5c: [],
    })

    expect(key.kid).to.equal('k')
  })

  it('takes the time from which a key signs, where there is one', async () => {
    const keys = await read(privateJwk(), { ...privateJwk(), signoff_signs_from: 1_800_000_000 })

    expect(keys.map(({ signsFrom }) => signsFrom)).to.deep.equal([null, 1_800_000_000])
  })

  for (const time of ['1800000000', 1.5, -1, null, 253_402_300_800]) {
    it(`refuses ${JSON.stringify(time)} as such a time`, async () => {
      const keys = [{ ...privateJwk(), signoff_signs_from: time }]

      expect(await complaint(JSON.stringify({ keys }))).to.match(
        /^signoff_signs_from is no time: whole seconds/,
      )
    })
  }

  const texts: Record<string, string> = {
    'an empty text': '',
    'a text that is no JSON': '{keys:[]}',
    null: 'null',
    'a list': '[]',
    'a key by itself': JSON.stringify(privateJwk()),
    'no keys': '{"keys":[]}',
    'keys that are no list': '{"keys":{}}',
    'a key that is null': '{"keys":[null]}',
    'a public key': JSON.stringify({ keys: [{ ...privateJwk(), d: undefined }] }),
    'a key of another curve': JSON.stringify({ keys: [privateJwk('P-384')] }),
    'an RSA key': JSON.stringify({
      keys: [generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'jwk' })],
    }),
    'an Ed25519 key': JSON.stringify({
      keys: [generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })],
    }),
    'a secret': '{"keys":[{"kty":"oct","k":"AAAA"}]}',
    'an empty kid': JSON.stringify({ keys: [{ ...privateJwk(), kid: '' }] }),
    'a kid that is a number': JSON.stringify({ keys: [{ ...privateJwk(), kid: 1 }] }),
    'a good key and a bad one': JSON.stringify({ keys: [privateJwk(), { kty: 'EC' }] }),
  }
  for (const [what, text] of Object.entries(texts)) {
    it(`refuses ${what}, and says what is expected`, async () => {
      expect(await complaint(text)).to.equal(NOT_A_JWKS)
    })
  }

  it('refuses two keys of the same name, given or derived', async () => {
    const jwk = privateJwk()

    const given = await complaint(
      JSON.stringify({
        keys: [
          { ...privateJwk(), kid: 'a' },
          { ...jwk, kid: 'a' },
        ],
      }),
    )
    const derived = await complaint(JSON.stringify({ keys: [jwk, jwk] }))

    expect([given, derived]).to.deep.equal(['two keys with the same kid', 'two keys with the same kid'])
  })

  it('refuses a point that is not on the curve', async () => {
    const { x } = privateJwk()

    expect(await complaint(JSON.stringify({ keys: [{ ...privateJwk(), x }] }))).not.to.equal('none')
  })

  it('refuses a private part that belongs to another public part', async () => {
    const { d } = privateJwk()

    expect(await complaint(JSON.stringify({ keys: [{ ...privateJwk(), d }] }))).not.to.equal('none')
  })

  it('tells nothing of the private part in what it says is wrong', async () => {
    const d = 'c2VjcmV0'

    const said = await complaint(JSON.stringify({ keys: [{ ...privateJwk('P-384'), d }] }))

    expect(said).not.to.include(d)
  })
})

describe('publicJwks', () => {
  it('publishes the public part of every key, and no private one', async () => {
    const keys = await read(
      { ...privateJwk(), kid: 'a' },
      { ...privateJwk(), kid: 'b', signoff_signs_from: 1 },
    )

    const jwks = publicJwks(keys)

    expect(jwks.keys.map(({ kid }) => kid)).to.deep.equal(['a', 'b'])
    for (const key of jwks.keys) {
      expect(Object.keys(key)).to.have.members(['kty', 'crv', 'x', 'y', 'kid', 'alg', 'use'])
      expect(key).to.include({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' })
    }
  })

  it('is all that jose needs to verify what any of the keys signs', async () => {
    const keys = await read({ ...privateJwk(), kid: 'a' }, { ...privateJwk(), kid: 'b' })
    const clock = manualClock()
    const published = createLocalJWKSet(publicJwks(keys))

    for (const key of keys) {
      const accessSigners = fixedSigners([{ kid: key.kid, signer: es256(key) }])
      const tokens = testTokens({ ...testKeys(), ...key }, clock, { accessSigners })
      const { token } = tokens.signAccess(grant(), clock.now() + 300)

      const { protectedHeader } = await jwtVerify(token, published, { currentDate: new Date(clock.nowMs()) })

      expect(protectedHeader.kid).to.equal(key.kid)
    }
  })
})
