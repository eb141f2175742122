// Files that others can change, at the real process: it refuses to go by them, and says how to mend it.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { generateKeys } from '../../src/commands/keys.ts'
import { developmentCertificate } from '../../src/embedded/certificate.ts'
import { runSignoff } from '../support/service/signoff.ts'

describe('files that every user can write', () => {
  let directory: string

  before(function () {
    if (process.geteuid === undefined) this.skip()
  })
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signoff-e2e-trust-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  it('are all refused by serve, each with the line that mends it', async () => {
    const { certFile, keyFile } = await developmentCertificate(directory)
    const files = {
      SIGNING_KEYS_FILE: join(directory, 'signing-keys.json'),
      REFRESH_KEY_FILE: join(directory, 'refresh-key'),
      TLS_KEY_FILE: keyFile,
      TRUSTED_ISSUERS: join(directory, 'issuers.json'),
    }
    await generateKeys({
      signingKeysFile: files.SIGNING_KEYS_FILE,
      refreshKeyFile: files.REFRESH_KEY_FILE,
    })
    await writeFile(files.TRUSTED_ISSUERS, '{"issuers":[]}')
    for (const file of Object.values(files)) await chmod(file, 0o666)

    const { status, stderr } = await runSignoff(['serve'], {
      env: {
        ...files,
        TLS_CERT_FILE: certFile,
        DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
        REDIS_URL: 'redis://127.0.0.1:1',
      },
    })

    expect(status).to.equal(2)
    for (const [setting, file] of Object.entries(files)) {
      expect(stderr).to.match(new RegExp(`${setting}: .* can be changed by every user: chmod o-w ${file}\\n`))
    }
  })

  it('make start and the commands beside it refuse DATA_DIR', async () => {
    const dataDir = join(directory, 'data')
    await mkdir(dataDir)
    await chmod(dataDir, 0o777)
    await writeFile(join(dataDir, 'running.json'), '{"pid":1,"databaseUrl":"postgres://evil.example/db"}')

    const started = await runSignoff(['start'], { env: { DATA_DIR: dataDir, PORT: '0', ADMIN_PORT: '0' } })
    const listed = await runSignoff(['user', 'list'], { env: { DATA_DIR: dataDir } })

    for (const { status, stderr } of [started, listed]) {
      expect(status).to.equal(1)
      expect(stderr).to.include(`${dataDir} can be changed by other users: chmod go-w ${dataDir}`)
    }
  })
})
