// Where the settings come from: the environment, and .env in the working directory.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { settingsEnvironment } from '../../../src/settings/settings-environment.ts'
import { problemsBy } from '../../support/service/config-problems.ts'

describe('settingsEnvironment', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'signoff-config-'))
  })
  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  const dotEnv = (text: string): NodeJS.ProcessEnv => {
    writeFileSync(join(directory, '.env'), text)
    return settingsEnvironment(directory, {})
  }

  it('is the variables where there is no .env', () => {
    expect(settingsEnvironment(directory, { PORT: '1' })).to.deep.equal({ PORT: '1' })
  })

  it('is those of .env under the real ones; an empty real one is none', () => {
    dotEnv('PORT=1\nHOST=from-file\nISSUER=https://file.example\n')

    const env = settingsEnvironment(directory, { PORT: '2', HOST: '' })

    expect(env).to.deep.equal({ PORT: '2', HOST: 'from-file', ISSUER: 'https://file.example' })
  })

  it('does not alter the real variables', () => {
    const variables = { PORT: '2' }
    dotEnv('HOST=h')

    settingsEnvironment(directory, variables)

    expect(variables).to.deep.equal({ PORT: '2' })
  })

  const files = [
    {
      what: 'comments, empty lines and spaces',
      text: '# a\n\n  \n PORT = 1 # why\n\n# b\n',
      means: { PORT: '1' },
    },
    { what: 'line ends of Windows', text: 'PORT=1\r\nHOST=h\r\n', means: { PORT: '1', HOST: 'h' } },
    { what: 'a byte order mark', text: '\ufeffPORT=1\n', means: { PORT: '1' } },
    { what: 'quotes', text: 'A="x # y"\nB=\'z\'\n', means: { A: 'x # y', B: 'z' } },
    { what: 'values of several lines', text: 'A="x\ny"\nB=z\n', means: { A: 'x\ny', B: 'z' } },
    { what: 'export', text: 'export PORT=1\n', means: { PORT: '1' } },
    { what: 'no line end', text: 'PORT=1', means: { PORT: '1' } },
    { what: 'nothing', text: '', means: {} },
  ]
  for (const { what, text, means } of files) {
    it(`reads a .env with ${what}`, () => {
      expect(dotEnv(text)).to.deep.equal(means)
    })
  }

  for (const broken of ['nonsense', 'nonsense line', '=x', '  =x', 'export', '"', '\0']) {
    it(`loses no other line to the broken one ${JSON.stringify(broken)}`, () => {
      expect(dotEnv(`PORT=1\n${broken}\nHOST=h\nexport LEEWAY=3\n`)).to.include({
        PORT: '1',
        HOST: 'h',
        LEEWAY: '3',
      })
    })
  }

  it('refuses a .env that every user can write, and takes one that the group can write', function () {
    if (process.geteuid === undefined) this.skip()
    const file = join(directory, '.env')
    dotEnv('PORT=1\n')
    chmodSync(file, 0o664)
    expect(settingsEnvironment(directory, {})).to.deep.equal({ PORT: '1' })
    chmodSync(file, 0o666)

    expect(problemsBy(() => settingsEnvironment(directory, {}))).to.deep.equal([
      `.env: ${file} can be changed by every user: chmod o-w ${file}`,
    ])
  })

  it('refuses a .env that cannot be read', () => {
    mkdirSync(join(directory, '.env'))

    const [problem, ...others] = problemsBy(() => settingsEnvironment(directory, {}))

    expect(problem).to.match(/^\.env: EISDIR/)
    expect(others).to.deep.equal([])
  })
})
