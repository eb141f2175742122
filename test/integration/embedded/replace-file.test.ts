// A file that is replaced while others read it: whole at any time, and as private as it was.
import { chmod, chown, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { replaceFile } from '../../../src/embedded/files/replace-file.ts'

describe('replaceFile', () => {
  let directory: string
  let file: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signoff-replace-'))
    file = join(directory, 'keys')
    await writeFile(file, 'before', { mode: 0o600 })
  })
  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  it('puts the content there and leaves nothing else behind', async () => {
    await replaceFile(file, { before: 'before', content: 'after' })

    expect(await readFile(file, 'utf8')).to.equal('after')
    expect(await readdir(directory)).to.deep.equal(['keys'])
  })

  for (const mode of [0o600, 0o640]) {
    it(`keeps the mode ${mode.toString(8)}`, async () => {
      await chmod(file, mode)

      await replaceFile(file, { before: 'before', content: 'after' })

      expect((await stat(file)).mode & 0o777).to.equal(mode)
    })
  }

  it('keeps the owner', async function () {
    // Only root may give files away.
    if (process.getuid?.() !== 0) this.skip()
    await chown(file, 1234, 4321)

    await replaceFile(file, { before: 'before', content: 'after' })

    expect(await stat(file)).to.include({ uid: 1234, gid: 4321 })
  })

  it('follows a link, and leaves it a link', async () => {
    const link = join(directory, 'link')
    await symlink(file, link)

    await replaceFile(link, { before: 'before', content: 'after' })

    expect(await readFile(file, 'utf8')).to.equal('after')
    expect((await readdir(directory)).sort()).to.deep.equal(['keys', 'link'])
  })

  it('leaves alone what somebody else has changed meanwhile', async () => {
    await writeFile(file, 'of somebody else')

    const error: unknown = await replaceFile(file, { before: 'before', content: 'after' }).catch(
      (cause: unknown) => cause,
    )

    expect((error as Error).message).to.match(/was changed by somebody else meanwhile: try again$/)
    expect(await readFile(file, 'utf8')).to.equal('of somebody else')
    expect(await readdir(directory)).to.deep.equal(['keys'])
  })
})
