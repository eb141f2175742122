// Secrets that come as files, as Docker and Kubernetes mount them.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readConfig, readServeConfig } from '../../../src/config.ts'
import { problemsBy } from '../../support/service/config-problems.ts'

const problemsOf = (env: NodeJS.ProcessEnv): readonly string[] => problemsBy(() => readConfig(env))

describe('a secret in a file', () => {
  let folder: string
  let file: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'signoff-secrets-'))
    file = join(folder, 'secret')
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  const secrets = {
    DATABASE_URL: 'postgres://u:p@h/d',
    REDIS_URL: 'redis://:p@h',
    SECRET_KEY: 'k'.repeat(32),
  }
  for (const [name, value] of Object.entries(secrets)) {
    it(`is taken for ${name}, without the end of its line`, async () => {
      for (const end of ['', '\n', '\r\n']) {
        await writeFile(file, `${value}${end}`, { mode: 0o600 })
        expect(readConfig({ [`${name}_FILE`]: file })).to.deep.equal({ ...readConfig({}), [name]: value })
      }
    })
  }

  it('is refused when it is empty, is not there, or can be written by others', async () => {
    await writeFile(file, '\n', { mode: 0o600 })
    expect(problemsOf({ SECRET_KEY_FILE: file })).to.deep.equal([`SECRET_KEY_FILE: ${file} is empty`])
    expect(problemsOf({ SECRET_KEY_FILE: `${file}s` })[0]).to.match(/^SECRET_KEY_FILE: ENOENT/)
    await chmod(file, 0o666)
    expect(problemsOf({ SECRET_KEY_FILE: file })[0]).to.match(/^SECRET_KEY_FILE: .* chmod o-w /)
  })

  it('is found wrong by the name of the secret', async () => {
    await writeFile(file, 'mysql://h/d', { mode: 0o600 })

    expect(problemsOf({ DATABASE_URL_FILE: file })).to.deep.equal([
      'DATABASE_URL: a postgres:// URL is expected',
    ])
  })

  it('is refused beside the secret itself', async () => {
    await writeFile(file, 'redis://h', { mode: 0o600 })

    expect(problemsOf({ REDIS_URL: 'redis://h', REDIS_URL_FILE: file })).to.deep.equal([
      'REDIS_URL and REDIS_URL_FILE: set one of them',
    ])
  })

  it('is enough where the secret is needed, and is told of once where it cannot be read', async () => {
    await writeFile(file, 'redis://h', { mode: 0o600 })
    const ofRedis = (path: string) =>
      problemsBy(() => readServeConfig({ REDIS_URL_FILE: path })).filter((problem) =>
        problem.includes('REDIS'),
      )

    expect(ofRedis(file)).to.deep.equal([])
    expect(ofRedis(`${file}s`)).to.have.length(1)
  })
})
