// The key files: all that is wrong with them at once, and never what stands in them.
import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { accessSeal } from '../../../src/tokens/access-seal.ts'
import { hs256 } from '../../../src/tokens/jws.ts'
import { loadKeys, type Keys } from '../../../src/tokens/load-keys.ts'
import { generateSigningKeys } from '../../../src/tokens/signing-keys.ts'
import { FOREIGN_ISSUER } from '../../support/builders/foreign-issuer.ts'
import { ISSUER } from '../../support/builders/test-keys.ts'

describe('loadKeys', () => {
  let directory: string
  let settings: { signingKeysFile: string; refreshKeyFile: string; issuer: string }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signoff-keys-'))
    settings = {
      signingKeysFile: join(directory, 'signing-keys.json'),
      refreshKeyFile: join(directory, 'refresh-key'),
      issuer: ISSUER,
    }
    await writeFile(settings.signingKeysFile, await generateSigningKeys())
    await writeFile(settings.refreshKeyFile, `${'k'.repeat(32)}\n`)
  })
  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  const problems = async (sharedSecret?: string): Promise<string[]> => {
    const loaded = await loadKeys({ ...settings, sharedSecret })
    return 'problems' in loaded ? loaded.problems : []
  }

  it('reads both files, the line end of the secret aside', async () => {
    const loaded = await loadKeys(settings)
    await writeFile(settings.refreshKeyFile, 'k'.repeat(32))
    const withoutLineEnd = await loadKeys(settings)

    if (!('keys' in loaded) || !('keys' in withoutLineEnd)) throw new Error('not loaded')
    expect(loaded.keys.signing).to.have.length(1)
    expect(loaded.keys.refresh.alg).to.equal('HS256')
    expect(loaded.keys.refresh.verify('x', withoutLineEnd.keys.refresh.sign('x'))).to.equal(true)
  })

  it('tells what is wrong with each file, by the name of its setting', async () => {
    await writeFile(settings.signingKeysFile, '{}')
    await writeFile(settings.refreshKeyFile, 'k'.repeat(31))

    const [signing, refresh, ...others] = await problems()

    expect(signing).to.match(/^SIGNING_KEYS_FILE: not a private JWKS/)
    expect(refresh).to.equal('REFRESH_KEY_FILE: holds less than 32 bytes')
    expect(others).to.deep.equal([])
  })

  it('tells of files that are not there', async () => {
    await rm(settings.signingKeysFile)
    await rm(settings.refreshKeyFile)

    const [signing, refresh] = await problems()

    expect(signing).to.match(/^SIGNING_KEYS_FILE: ENOENT/)
    expect(refresh).to.match(/^REFRESH_KEY_FILE: ENOENT/)
  })

  it('refuses files that every user can write, by the name of its setting, and says how to mend it', async () => {
    const { signingKeysFile, refreshKeyFile } = settings
    await Promise.all([chmod(signingKeysFile, 0o666), chmod(refreshKeyFile, 0o602)])

    expect(await problems()).to.deep.equal([
      `SIGNING_KEYS_FILE: ${signingKeysFile} can be changed by every user: chmod o-w ${signingKeysFile}`,
      `REFRESH_KEY_FILE: ${refreshKeyFile} can be changed by every user: chmod o-w ${refreshKeyFile}`,
    ])
  })

  it('warns of files that every user can read, and takes them', async () => {
    const { signingKeysFile, refreshKeyFile } = settings
    await Promise.all([chmod(signingKeysFile, 0o644), chmod(refreshKeyFile, 0o440)])
    const warnings: string[] = []

    const loaded = await loadKeys({ ...settings, warn: (line) => warnings.push(line) })

    expect(loaded).to.have.property('keys')
    expect(warnings).to.deep.equal([
      `${signingKeysFile} can be read by every user: chmod o-r ${signingKeysFile}`,
    ])
  })

  it('counts bytes without the spaces around the secret', async () => {
    await writeFile(settings.refreshKeyFile, `${' '.repeat(40)}short\n`)

    expect(await problems()).to.deep.equal(['REFRESH_KEY_FILE: holds less than 32 bytes'])
  })

  it('refuses a refresh key that is the secret which peers know', async () => {
    const [problem, ...others] = await problems('k'.repeat(32))

    expect(problem).to.match(/^REFRESH_KEY_FILE: /)
    expect(problem).not.to.include('kkk')
    expect(others).to.deep.equal([])
    expect(await problems('s'.repeat(32))).to.deep.equal([])
  })

  describe('and the secret of CSRF tokens', () => {
    const csrfSecret = async (): Promise<Buffer> => {
      const loaded = await loadKeys(settings)
      if (!('keys' in loaded)) throw new Error('not loaded')
      return Buffer.from(loaded.keys.csrfSecret)
    }

    it('makes it from the refresh key: the same each time, and another for another key', async () => {
      const first = await csrfSecret()
      const again = await csrfSecret()
      await writeFile(settings.refreshKeyFile, 'l'.repeat(32))
      const other = await csrfSecret()

      expect(first).to.have.length(32)
      expect(first.equals(again)).to.equal(true)
      expect(first.equals(other)).to.equal(false)
    })

    it('gives nothing of the refresh key away', async () => {
      const { refresh } = await keysOf()

      const secret = await csrfSecret()

      expect(secret.toString()).not.to.include('kkk')
      expect(hs256(secret).verify('x', refresh.sign('x'))).to.equal(false)
    })
  })

  describe('and the seal of access tokens', () => {
    it('makes it from the refresh key: the same each time, and another for another key', async () => {
      const claims = { sid: 'a session' }
      const jti = (await keysOf()).accessSeal.jtiFor(claims)
      const isGood = (await keysOf()).accessSeal.holds({ ...claims, jti })
      await writeFile(settings.refreshKeyFile, 'l'.repeat(32))

      expect(isGood).to.equal(true)
      expect((await keysOf()).accessSeal.holds({ ...claims, jti })).to.equal(false)
    })

    it('has a key of its own: neither the refresh key nor the secret of CSRF tokens makes it', async () => {
      const { accessSeal: seal, csrfSecret } = await keysOf()
      const claims = { sid: 'a session' }
      const others = [csrfSecret, Buffer.from('k'.repeat(32))].map((key) => accessSeal(key).jtiFor(claims))

      expect(others.map((jti) => seal.holds({ ...claims, jti }))).to.deep.equal([false, false])
    })
  })

  describe('with trusted issuers', () => {
    const pem = () =>
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' })
    const trust = async (issuer: string) => {
      const trustedIssuersFile = join(directory, 'trusted-issuers.json')
      const issuers = [{ issuer, audience: 'shop', public_key: pem(), algorithm: 'ES256' }]
      await writeFile(trustedIssuersFile, JSON.stringify({ issuers }))
      return await loadKeys({ ...settings, trustedIssuersFile })
    }

    it('trusts none where no file is set', async () => {
      expect((await keysOf()).trustedIssuers).to.deep.equal([])
    })

    it('reads them from the file', async () => {
      const loaded = await trust(FOREIGN_ISSUER)

      if (!('keys' in loaded)) throw new Error(loaded.problems.join())
      expect(loaded.keys.trustedIssuers.map(({ issuer }) => issuer)).to.deep.equal([FOREIGN_ISSUER])
    })

    it('tells what is wrong with the file, together with what is wrong with the others', async () => {
      await rm(settings.refreshKeyFile)

      const loaded = await trust('')

      if ('keys' in loaded) throw new Error('loaded')
      expect(loaded.problems.map((problem) => problem.split(':')[0])).to.deep.equal([
        'REFRESH_KEY_FILE',
        'TRUSTED_ISSUERS',
      ])
    })

    it('refuses a file that every user can write', async () => {
      await trust(FOREIGN_ISSUER)
      const trustedIssuersFile = join(directory, 'trusted-issuers.json')
      await chmod(trustedIssuersFile, 0o666)

      const loaded = await loadKeys({ ...settings, trustedIssuersFile })

      expect('problems' in loaded && loaded.problems).to.deep.equal([
        `TRUSTED_ISSUERS: ${trustedIssuersFile} can be changed by every user: chmod o-w ${trustedIssuersFile}`,
      ])
    })

    it('refuses to trust this very service as another one', async () => {
      const loaded = await trust(ISSUER)

      expect('problems' in loaded && loaded.problems.join()).to.include('is this service itself (ISSUER)')
    })
  })

  async function keysOf(): Promise<Keys> {
    const loaded = await loadKeys(settings)
    if (!('keys' in loaded)) throw new Error(loaded.problems.join())
    return loaded.keys
  }
})
