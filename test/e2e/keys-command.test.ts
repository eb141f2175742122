// signoff keys rotate and list, as an operator types them.
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { generateKeys } from '../../src/commands/keys.ts'
import { runSignoff } from '../support/service/signoff.ts'

interface Listed {
  keys: { kid: string; state: string; signs_from: string | null; published_until: string | null }[]
}
interface Rotated {
  kid: string
  signs_from: string
  removed: string[]
}

describe('signoff keys', () => {
  let directory: string
  let env: Record<string, string>

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signoff-keys-'))
    env = { SIGNING_KEYS_FILE: join(directory, 'signing-keys.json'), DATA_DIR: join(directory, 'data') }
    await generateKeys({
      signingKeysFile: env['SIGNING_KEYS_FILE'] ?? '',
      refreshKeyFile: join(directory, 'refresh'),
    })
  })
  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  const run = async (args: string[], others: Record<string, string> = env) =>
    await runSignoff(['keys', ...args], { env: others })
  const rotate = async (...args: string[]) =>
    JSON.parse((await run(['rotate', '--json', ...args])).stdout) as Rotated
  const list = async () => (JSON.parse((await run(['list', '--json'])).stdout) as Listed).keys

  it('adds a key that signs in an hour and twice the leeway, and lists it as the next one', async () => {
    const before = Math.floor(Date.now() / 1000)

    const { kid, signs_from, removed } = await rotate()

    const after = Math.floor(Date.now() / 1000)
    const from = Date.parse(signs_from) / 1000
    expect(from).to.be.within(before + 3610, after + 3610)
    expect(removed).to.deep.equal([])
    const [first, second] = await list()
    expect(second).to.deep.equal({ kid, state: 'next', signs_from, published_until: null })
    expect(first).to.include({ state: 'signs', signs_from: null })
    expect(Date.parse(first?.published_until ?? '') / 1000).to.equal(from + 315)
    expect((await stat(env['SIGNING_KEYS_FILE'] ?? '')).mode & 0o777).to.equal(0o600)
  })

  it('lists the key before as retired once its successor signs', async () => {
    await run(['rotate', '--publish-seconds', '0'], { ...env, LEEWAY: '0' })

    const { stdout } = await run(['list'])

    expect(stdout).to.match(/^\S+ {2}retired: verifies until \d{4}-\S+Z\n\S+ {2}signs and verifies\n$/)
  })

  it('warns of a time that is shorter than peers keep the keys', async () => {
    const short = await run(['rotate', '--publish-seconds', '899'])
    const long = await run(['rotate', '--publish-seconds', '9000'])

    expect(short.stderr).to.match(/peers that keep the keys for longer than 899 s refuse its tokens at first/)
    expect([short.status, long.status, long.stderr]).to.deep.equal([0, 0, ''])
  })

  it('refuses what is no time to publish, and changes nothing', async () => {
    const before = await list()

    const { status, stderr } = await run(['rotate', '--publish-seconds', 'soon'])

    expect(status).to.equal(2)
    expect(stderr).to.contain('Whole seconds from 0 to 2592000')
    expect(await list()).to.deep.equal(before)
  })

  it('finds the file that signoff start has made', async () => {
    const keys = join(directory, 'data', 'keys')
    await mkdir(keys, { recursive: true })
    await generateKeys({
      signingKeysFile: join(keys, 'signing-keys.json'),
      refreshKeyFile: join(keys, 'refresh-key'),
    })

    const { status, stderr } = await run(['rotate'], { DATA_DIR: join(directory, 'data') })

    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
  })

  it('needs a file', async () => {
    for (const command of ['rotate', 'list']) {
      const { status, stderr } = await run([command], { DATA_DIR: join(directory, 'none') })

      expect(status, command).to.equal(2)
      expect(stderr, command).to.contain('SIGNING_KEYS_FILE: is needed')
    }
  })
})
