// The file of the signing keys, read again: what is taken, what is kept, and what the log says.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { rotateSigningKeys } from '../../../src/tokens/rotate-signing-keys.ts'
import { signingKeysFile, type SigningKeysFile } from '../../../src/tokens/signing-keys-file.ts'
import { generateSigningKeys, readSigningKeys } from '../../../src/tokens/signing-keys.ts'
import { manualClock } from '../../support/fakes/manual-clock.ts'

describe('signingKeysFile', () => {
  const clock = manualClock()
  let directory: string
  let path: string
  let text: string
  let file: SigningKeysFile
  let lines: [string, string, object][]
  let isWatched: boolean

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signoff-keys-'))
    path = join(directory, 'signing-keys.json')
    text = await generateSigningKeys()
    await writeFile(path, text)
    lines = []
    isWatched = false
    file = signingKeysFile({
      path,
      keys: await readSigningKeys(text),
      watch: () => {
        isWatched = true
        return () => (isWatched = false)
      },
      time: () => ({ now: clock.now(), holdSeconds: 315 }),
      log: {
        info: (fields, message) => lines.push(['info', message, fields]),
        warn: (fields, message) => lines.push(['warn', message, fields]),
      },
    })
  })
  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  const kids = () => file.keys().map(({ kid }) => kid)
  const becomes = async (content: string) => {
    await writeFile(path, content)
    await file.read()
  }

  it('takes a key that was added, and tells', async () => {
    const [before] = kids()
    const rotated = await rotateSigningKeys(text, { now: clock.now(), signsFrom: clock.now() + 3600 })

    await becomes(rotated.text)

    expect(kids()).to.deep.equal([before, rotated.kid])
    expect(lines).to.deep.equal([
      ['info', 'the signing keys were read again', { kids: [before, rotated.kid] }],
    ])
  })

  it('says nothing of a file that was touched', async () => {
    const before = file.keys()

    await becomes(`${text}\n`)

    expect(file.keys()).to.equal(before)
    expect(lines).to.deep.equal([])
  })

  for (const [what, content] of Object.entries({
    'half written': '{"keys":[{"kty":"EC","crv":"P-2',
    'an empty one': '',
    'without keys': '{"keys":[]}',
  })) {
    it(`keeps the keys in use where the file is ${what}, and warns`, async () => {
      const before = file.keys()

      await becomes(content)

      expect(file.keys()).to.equal(before)
      expect(lines.map(([level, message]) => [level, message])).to.deep.equal([
        ['warn', 'the signing keys cannot be read again; those in use stay in use'],
      ])
    })
  }

  it('keeps them where the file is gone, and takes those of the next one', async () => {
    const before = file.keys()
    await rm(path)
    await file.read()
    const kept = file.keys()

    await becomes(await generateSigningKeys())

    expect(kept).to.equal(before)
    expect(file.keys()).not.to.equal(before)
  })

  it('warns of a key that is gone while its tokens may be alive', async () => {
    const [gone] = kids()

    await becomes(await generateSigningKeys())

    expect(lines).to.deep.equal([
      [
        'warn',
        'keys are gone from the file whose tokens may be alive: these are refused',
        { kids: kids(), gone: [gone] },
      ],
    ])
  })

  it('does not warn of one that was retired', async () => {
    const rotated = await rotateSigningKeys(text, { now: clock.now(), signsFrom: clock.now() })
    await becomes(rotated.text)
    clock.advance(400)
    const [, second] = (JSON.parse(rotated.text) as { keys: object[] }).keys

    await becomes(JSON.stringify({ keys: [second] }))

    expect(lines.map(([level]) => level)).to.deep.equal(['info', 'info'])
  })

  it('is watched until it is stopped', () => {
    const before = isWatched

    file.stop()

    expect([before, isWatched]).to.deep.equal([true, false])
  })
})
