// The TRUSTED_ISSUERS file: what it may hold, and what the operator is told when it holds something else.
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { exportJWK } from 'jose'
import { readTrustedIssuers, type TrustedIssuer } from '../../../src/tokens/trusted-issuers.ts'
import { issuerKey, type IssuerKey } from '../../support/builders/foreign-issuer.ts'
import { closePrimesModulus, goodModulus, rsaJwk, type RsaJwk } from '../../support/builders/weak-rsa-keys.ts'

const OWN_ISSUER = 'https://signoff.test'
const URL_ENTRY = {
  issuer: 'https://login.example.com',
  audience: 'shop',
  jwks_url: 'https://login.example.com/jwks.json',
}

describe('readTrustedIssuers', () => {
  let folder: string
  let key: IssuerKey

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'signoff-issuers-'))
    key = await issuerKey('key')
  })

  after(async () => {
    await rm(folder, { recursive: true })
  })

  async function read(content: unknown): Promise<TrustedIssuer[]> {
    const path = join(folder, 'issuers.json')
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
    return await readTrustedIssuers(path, OWN_ISSUER)
  }

  const problemsOf = async (content: unknown): Promise<string[]> =>
    await read(content).then(
      () => [],
      (error: unknown) => (error as Error).message.split('\n'),
    )
  const problemsOfEntry = async (entry: object): Promise<string[]> => await problemsOf({ issuers: [entry] })
  const keyEntry = (changes: object) => ({ issuer: 'legacy', audience: 'shop', ...changes })

  it('reads issuers with a JWKS URL, with a JWKS, and with one key', async () => {
    const issuers = await read({
      issuers: [
        URL_ENTRY,
        keyEntry({ jwks: { keys: [key.jwk] } }),
        { issuer: 'single', audience: 'shop', public_key: key.pem, algorithm: 'ES256' },
      ],
    })

    expect(issuers.map(({ issuer, audience }) => ({ issuer, audience }))).to.deep.equal([
      { issuer: 'https://login.example.com', audience: 'shop' },
      { issuer: 'legacy', audience: 'shop' },
      { issuer: 'single', audience: 'shop' },
    ])
    const [remote, local, single] = issuers.map(({ keys }) => keys)
    expect(remote).to.deep.equal({ jwksUrl: new URL('https://login.example.com/jwks.json') })
    expect(local).to.deep.equal({ jwks: { keys: [key.jwk] } })
    expect(single).to.include({ algorithm: 'ES256' })
  })

  for (const jwks_url of [
    'http://localhost:8080/a',
    'http://127.0.0.1/a',
    'http://127.9.9.9/a',
    'http://[::1]:1/a',
  ]) {
    it(`takes ${jwks_url}, which is on loopback`, async () => {
      expect(await problemsOfEntry({ ...URL_ENTRY, jwks_url })).to.deep.equal([])
    })
  }

  for (const jwks_url of [
    'http://login.example.com/a',
    'http://localhost.example.com/a',
    'http://127.0.0.1.example.com/a',
    'http://0.0.0.0/a',
    'file:///etc/passwd',
    'data:application/json,{}',
    '/jwks.json',
    '',
  ]) {
    it(`refuses "${jwks_url}" as the URL of a JWKS`, async () => {
      expect(await problemsOfEntry({ ...URL_ENTRY, jwks_url })).to.deep.equal([
        'issuers[0].jwks_url: an https:// URL is expected (http:// only on loopback)',
      ])
    })
  }

  for (const user of ['me', 'me:secret', ':secret']) {
    it(`refuses a URL with ${user}@ in it`, async () => {
      const jwks_url = `https://${user}@login.example.com/`

      expect(await problemsOfEntry({ ...URL_ENTRY, jwks_url })).to.deep.equal([
        'issuers[0].jwks_url: a URL without user name and password is expected',
      ])
    })
  }

  const pemOf = (pair: { publicKey: { export(options: object): string | Buffer } }) =>
    String(pair.publicKey.export({ type: 'spki', format: 'pem' }))
  const PEM_EXPECTED = 'a PEM text that begins with -----BEGIN PUBLIC KEY----- is expected'
  const KINDS_EXPECTED = 'an RSA, Ed25519, P-256, P-384 or P-521 public key is expected'
  const SOURCES_EXPECTED = 'exactly one of jwks_url, jwks, public_key is expected, not'
  const wrongEntries: Record<string, { entry: () => unknown; problem: string }> = {
    'no key': { entry: () => keyEntry({}), problem: `: ${SOURCES_EXPECTED} none` },
    'two sources of keys': {
      entry: () => ({ ...URL_ENTRY, jwks: { keys: [key.jwk] } }),
      problem: `: ${SOURCES_EXPECTED} jwks_url and jwks`,
    },
    'an algorithm without a key': {
      entry: () => ({ ...URL_ENTRY, algorithm: 'ES256' }),
      problem: ': algorithm is only for public_key',
    },
    'a key without an algorithm': {
      entry: () => keyEntry({ public_key: key.pem }),
      problem: ': algorithm is expected with public_key',
    },
    'a misspelt field': {
      entry: () => ({ ...URL_ENTRY, audiance: 'x' }),
      problem: ': Unrecognized key: "audiance"',
    },
    'no audience': {
      entry: () => ({ ...URL_ENTRY, audience: undefined }),
      problem: '.audience: a text is expected',
    },
    'an empty issuer': {
      entry: () => ({ ...URL_ENTRY, issuer: '' }),
      problem: '.issuer: a text that is not empty is expected',
    },
    'a shared secret as its algorithm': {
      entry: () => keyEntry({ public_key: key.pem, algorithm: 'HS256' }),
      problem:
        '.algorithm: one of ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512, EdDSA, Ed25519 is expected',
    },
    'a key of another algorithm': {
      entry: () => keyEntry({ public_key: key.pem, algorithm: 'RS256' }),
      problem: '.public_key: no key for RS256',
    },
    'a key of another curve': {
      entry: () => keyEntry({ public_key: key.pem, algorithm: 'ES384' }),
      problem: '.public_key: no key for ES384',
    },
    'a curve of nobody': {
      entry: () =>
        keyEntry({
          public_key: pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' })),
          algorithm: 'ES256',
        }),
      problem: `.public_key: ${KINDS_EXPECTED}`,
    },
    'a short RSA key': {
      entry: () =>
        keyEntry({
          public_key: pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 })),
          algorithm: 'RS256',
        }),
      problem: '.public_key: an RSA key of at least 2048 bits is expected',
    },
    'a private key': {
      entry: () =>
        keyEntry({
          public_key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
            type: 'pkcs8',
            format: 'pem',
          }),
          algorithm: 'ES256',
        }),
      problem: `.public_key: ${PEM_EXPECTED}`,
    },
    'a key that is none': {
      entry: () =>
        keyEntry({
          public_key: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
          algorithm: 'ES256',
        }),
      problem: `.public_key: ${PEM_EXPECTED}`,
    },
    'a text in place of its JWKS': {
      entry: () => keyEntry({ jwks: 'https://login.example.com/jwks.json' }),
      problem: '.jwks: {"keys":[…]} is expected',
    },
    'a text in place of everything': {
      entry: () => 'https://login.example.com',
      problem: ': {"issuer":…,"audience":…} is expected',
    },
    'a JWKS without keys': {
      entry: () => keyEntry({ jwks: { keys: [] } }),
      problem: '.jwks.keys: a key is expected',
    },
    'a private key in its JWKS': {
      entry: () => keyEntry({ jwks: { keys: [{ ...key.jwk, d: 'AAAA' }] } }),
      problem: '.jwks.keys[0]: a private key: only public keys belong here',
    },
    'a secret in its JWKS': {
      entry: () => keyEntry({ jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }),
      problem: '.jwks.keys[0]: a private key: only public keys belong here',
    },
    'a broken key in its JWKS': {
      entry: () => keyEntry({ jwks: { keys: [key.jwk, { ...key.jwk, x: 'AA' }] } }),
      problem: `.jwks.keys[1]: ${KINDS_EXPECTED}`,
    },
  }
  for (const [what, { entry, problem }] of Object.entries(wrongEntries)) {
    it(`refuses an entry with ${what}, and says so`, async () => {
      expect(await problemsOf({ issuers: [entry()] })).to.deep.equal([`issuers[0]${problem}`])
    })
  }

  it('refuses a short RSA key in a JWKS', async () => {
    const jwk = await exportJWK(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)

    expect(await problemsOfEntry(keyEntry({ jwks: { keys: [jwk] } }))).to.deep.equal([
      'issuers[0].jwks.keys[0]: an RSA key of at least 2048 bits is expected',
    ])
  })

  it('refuses an RSA key that can be broken, in a JWKS and as PEM', async () => {
    const exponent = 'an RSA key whose e is odd and at least 65537 is expected'
    const close = 'the RSA key can be broken: the factors of its n are close together'
    const pemOf = (jwk: RsaJwk) =>
      createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ format: 'pem', type: 'spki' })
    const found: string[] = []

    for (const jwk of [rsaJwk(goodModulus(), 1n), rsaJwk(closePrimesModulus())]) {
      found.push(...(await problemsOfEntry(keyEntry({ jwks: { keys: [jwk] } }))))
      found.push(...(await problemsOfEntry(keyEntry({ public_key: pemOf(jwk), algorithm: 'RS256' }))))
    }

    expect(found).to.deep.equal([
      `issuers[0].jwks.keys[0]: ${exponent}`,
      `issuers[0].public_key: ${exponent}`,
      `issuers[0].jwks.keys[0]: ${close}`,
      `issuers[0].public_key: ${close}`,
    ])
  })

  it('tells everything at once, and which entry it is about', async () => {
    const problems = await problemsOf({
      issuers: [URL_ENTRY, { ...URL_ENTRY, issuer: 7, audience: '' }, { ...URL_ENTRY, jwks_url: 'ftp://x/' }],
    })

    expect(problems.map((problem) => problem.split(':')[0])).to.deep.equal([
      'issuers[1].issuer',
      'issuers[1].audience',
      'issuers[2].jwks_url',
    ])
  })

  it('refuses an issuer that is listed twice, and this service itself', async () => {
    expect(
      await problemsOf({ issuers: [URL_ENTRY, URL_ENTRY, { ...URL_ENTRY, issuer: OWN_ISSUER }] }),
    ).to.deep.equal([
      'issuers[1]: https://login.example.com is listed twice',
      'issuers[2]: https://signoff.test is this service itself (ISSUER)',
    ])
  })

  const wrongFiles: Record<string, { content: unknown; problem: string }> = {
    'no JSON': { content: '{issuers:', problem: 'not JSON: {"issuers":[…]} is expected' },
    'no list': { content: {}, problem: 'issuers: a list is expected' },
    'no issuer': { content: { issuers: [] }, problem: 'issuers: an issuer is expected' },
    'a list': { content: [URL_ENTRY], problem: 'the file: {"issuers":[…]} is expected' },
    'other fields': {
      content: { issuers: [URL_ENTRY], issuer: 'x' },
      problem: 'the file: Unrecognized key: "issuer"',
    },
  }
  for (const [what, { content, problem }] of Object.entries(wrongFiles)) {
    it(`refuses a file with ${what}, and says so`, async () => {
      expect(await problemsOf(content)).to.deep.equal([problem])
    })
  }

  it('says which file cannot be read', async () => {
    const path = join(folder, 'missing.json')
    const error = await readTrustedIssuers(path, OWN_ISSUER).catch((reason: unknown) => reason as Error)

    expect(error).to.be.instanceOf(Error).with.property('message').that.includes(path)
  })
})
