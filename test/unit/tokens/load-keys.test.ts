// The key files: all that is wrong with them at once, and never what stands in them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadKeys } from '../../../src/tokens/load-keys.ts'
import { generateSigningKeys } from '../../../src/tokens/signing-keys.ts'

describe('loadKeys', () => {
  let directory: string
  let files: { signingKeysFile: string; refreshKeyFile: string }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signoff-keys-'))
    files = {
      signingKeysFile: join(directory, 'signing-keys.json'),
      refreshKeyFile: join(directory, 'refresh-key'),
    }
    await writeFile(files.signingKeysFile, await generateSigningKeys())
    await writeFile(files.refreshKeyFile, `${'k'.repeat(32)}\n`)
  })
  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  const problems = async (sharedSecret?: string): Promise<string[]> => {
    const loaded = await loadKeys({ ...files, sharedSecret })
    return 'problems' in loaded ? loaded.problems : []
  }

  it('reads both files, the line end of the secret aside', async () => {
    const loaded = await loadKeys(files)
    await writeFile(files.refreshKeyFile, 'k'.repeat(32))
    const withoutLineEnd = await loadKeys(files)

    if (!('keys' in loaded) || !('keys' in withoutLineEnd)) throw new Error('not loaded')
    expect(loaded.keys.signing).to.have.length(1)
    expect(loaded.keys.refresh.alg).to.equal('HS256')
    expect(loaded.keys.refresh.verify('x', withoutLineEnd.keys.refresh.sign('x'))).to.equal(true)
  })

  it('tells what is wrong with each file, by the name of its setting', async () => {
    await writeFile(files.signingKeysFile, '{}')
    await writeFile(files.refreshKeyFile, 'k'.repeat(31))

    const [signing, refresh, ...others] = await problems()

    expect(signing).to.match(/^SIGNING_KEYS_FILE: not a private JWKS/)
    expect(refresh).to.equal('REFRESH_KEY_FILE: holds less than 32 bytes')
    expect(others).to.deep.equal([])
  })

  it('tells of files that are not there', async () => {
    await rm(files.signingKeysFile)
    await rm(files.refreshKeyFile)

    const [signing, refresh] = await problems()

    expect(signing).to.match(/^SIGNING_KEYS_FILE: ENOENT/)
    expect(refresh).to.match(/^REFRESH_KEY_FILE: ENOENT/)
  })

  it('counts bytes without the spaces around the secret', async () => {
    await writeFile(files.refreshKeyFile, `${' '.repeat(40)}short\n`)

    expect(await problems()).to.deep.equal(['REFRESH_KEY_FILE: holds less than 32 bytes'])
  })

  it('refuses a refresh key that is the secret which peers know', async () => {
    const [problem, ...others] = await problems('k'.repeat(32))

    expect(problem).to.match(/^REFRESH_KEY_FILE: /)
    expect(problem).not.to.include('kkk')
    expect(others).to.deep.equal([])
    expect(await problems('s'.repeat(32))).to.deep.equal([])
  })
})
