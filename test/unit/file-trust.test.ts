// Which files and folders are taken for ours alone, and what an operator is told of the others.
import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  distrustOf,
  readTrustedFile,
  requireTrustedFolder,
  requireTrustedTree,
} from '../../src/file-trust.ts'

const OURS = 1000
const STRANGERS = 1001
const ROOT = 0

describe('distrustOf', () => {
  const ofFile = (uid: number, mode: number, path = '/keys/refresh-key') =>
    distrustOf(path, { uid, mode: 0o100000 | mode }, { uid: OURS, groupMayWrite: true })
  const ofFolder = (uid: number, mode: number) =>
    distrustOf('/data', { uid, mode: 0o040000 | mode }, { uid: OURS, groupMayWrite: false })

  it('is none for what keys generate writes, and for what Kubernetes mounts', () => {
    for (const [uid, mode] of [
      [OURS, 0o600],
      [OURS, 0o400],
      [OURS, 0o664],
      [ROOT, 0o644],
      [ROOT, 0o440],
      [ROOT, 0o660],
    ] as const) {
      expect(ofFile(uid, mode), mode.toString(8)).to.equal(null)
    }
  })

  it('is there for a file that every user can write, whoever it belongs to, with the line that mends it', () => {
    for (const [uid, mode] of [
      [OURS, 0o666],
      [OURS, 0o602],
      [ROOT, 0o646],
    ] as const) {
      expect(ofFile(uid, mode), mode.toString(8)).to.match(/: chmod o-w \/keys\/refresh-key$/)
    }
  })

  it('is there for what belongs to another user, however closed it is', () => {
    expect(ofFile(STRANGERS, 0o400)).to.match(/uid 1001.*: chown 1000 \/keys\/refresh-key$/)
    expect(ofFolder(STRANGERS, 0o700)).to.match(/uid 1001.*: chown 1000 \/data$/)
  })

  it('is there for a folder that the group can write, and for none that others can only read', () => {
    expect(ofFolder(OURS, 0o770)).to.match(/: chmod go-w \/data$/)
    expect(ofFolder(OURS, 0o757)).to.match(/: chmod go-w \/data$/)
    // With the sticky bit, others can still put files there.
    expect(ofFolder(ROOT, 0o1777)).to.match(/: chmod go-w \/data$/)
    for (const mode of [0o700, 0o711, 0o755]) expect(ofFolder(OURS, mode)).to.equal(null)
    expect(ofFolder(ROOT, 0o755)).to.equal(null)
  })

  it('has root go by nothing that an ordinary user owns', () => {
    const byRoot = { uid: ROOT, groupMayWrite: false }

    expect(distrustOf('/data', { uid: OURS, mode: 0o040700 }, byRoot)).to.match(/: chown 0 \/data$/)
    expect(distrustOf('/data', { uid: ROOT, mode: 0o040700 }, byRoot)).to.equal(null)
  })

  it('quotes a path for the shell', () => {
    expect(ofFile(OURS, 0o666, "/a b/it's")).to.match(/chmod o-w '\/a b\/it'\\''s'$/)
  })

  it('is none where files have no such owners', () => {
    const where = { uid: undefined, groupMayWrite: false }
    const geteuid = Object.getOwnPropertyDescriptor(process, 'geteuid')
    Object.defineProperty(process, 'geteuid', { value: undefined, configurable: true })
    try {
      expect(distrustOf('C:\\keys', { uid: 0, mode: 0o666 }, where)).to.equal(null)
    } finally {
      if (geteuid) Object.defineProperty(process, 'geteuid', geteuid)
    }
  })
})

describe('files and folders on a disk', () => {
  let directory: string
  let file: string

  before(function () {
    if (process.geteuid === undefined) this.skip()
  })
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signoff-trust-'))
    file = join(directory, 'secret')
    await writeFile(file, 'a secret', { mode: 0o600 })
  })
  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  describe('readTrustedFile', () => {
    it('reads a file through links, as Kubernetes mounts secrets', async () => {
      await mkdir(join(directory, '..data'))
      await writeFile(join(directory, '..data', 'key'), 'a key')
      await chmod(join(directory, '..data', 'key'), 0o644)
      await symlink('..data/key', join(directory, 'key'))

      expect(readTrustedFile(join(directory, 'key'))).to.equal('a key')
    })

    it('warns of one that every user can read, and of no other', async () => {
      const warnings: string[] = []
      const warn = (line: string) => warnings.push(line)

      readTrustedFile(file, warn)
      await chmod(file, 0o640)
      readTrustedFile(file, warn)
      expect(warnings).to.deep.equal([])
      await chmod(file, 0o644)
      readTrustedFile(file, warn)

      expect(warnings).to.deep.equal([`${file} can be read by every user: chmod o-r ${file}`])
    })

    it('refuses one that every user can write, behind a link too', async () => {
      await chmod(file, 0o606)
      await symlink(file, join(directory, 'link'))

      expect(() => readTrustedFile(file)).to.throw(`${file} can be changed by every user: chmod o-w ${file}`)
      expect(() => readTrustedFile(join(directory, 'link'))).to.throw('can be changed by every user')
    })

    it('refuses one of another user', async function () {
      if (process.geteuid?.() !== ROOT) this.skip()
      await chown(file, STRANGERS, STRANGERS)

      expect(() => readTrustedFile(file)).to.throw('belongs to another user (uid 1001)')
    })

    it('says what the system says when there is none', () => {
      expect(() => readTrustedFile(join(directory, 'none'))).to.throw('ENOENT')
    })
  })

  describe('requireTrustedFolder', () => {
    it('lets a folder pass that is ours, or is not there, and refuses one that others can write', async () => {
      requireTrustedFolder(directory)
      requireTrustedFolder(join(directory, 'none'))
      await chmod(directory, 0o770)

      expect(() => {
        requireTrustedFolder(directory)
      }).to.throw(`chmod go-w ${directory}`)
    })
  })

  describe('requireTrustedTree', () => {
    const attempt = () => {
      requireTrustedTree(directory)
    }

    it('lets a tree pass that is ours, links included, or that is not there', async () => {
      await symlink('secret', join(directory, 'link'))

      expect(attempt).not.to.throw()
      expect(() => {
        requireTrustedTree(join(directory, 'none'))
      }).not.to.throw()
    })

    it('refuses one with a file or a folder that others can write, however deep', async () => {
      const deep = join(directory, 'usr', 'bin')
      await mkdir(deep, { recursive: true, mode: 0o755 })
      const program = join(deep, 'redis-server')
      await writeFile(program, '')
      await chmod(program, 0o775)
      expect(attempt).to.throw(`chmod go-w ${program}`)
      await chmod(program, 0o755)
      expect(attempt).not.to.throw()

      await chmod(deep, 0o777)

      expect(attempt).to.throw(`chmod go-w ${deep}`)
    })

    it('refuses one with a file of another user', async function () {
      if (process.geteuid?.() !== ROOT) this.skip()
      await chown(file, STRANGERS, STRANGERS)

      expect(attempt).to.throw('belongs to another user')
    })
  })
})
