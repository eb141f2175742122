// One rotation of the file: what is added, what is removed, and what stays as it was.
import { expect } from 'chai'
import { rotateSigningKeys } from '../../../src/tokens/rotate-signing-keys.ts'
import { generateSigningKeys, readSigningKeys } from '../../../src/tokens/signing-keys.ts'

const NOW = 1_800_000_000
const DAY = 86_400

const keysOf = (text: string): Record<string, unknown>[] =>
  (JSON.parse(text) as { keys: Record<string, unknown>[] }).keys

describe('rotateSigningKeys', () => {
  it('adds a key that signs at its time, behind the others, which stay as they were', async () => {
    const before = await generateSigningKeys()
    const [own] = keysOf(before)
    const text = JSON.stringify({ keys: [{ ...own, note: 'from 2025' }] })

    const rotated = await rotateSigningKeys(text, { now: NOW, signsFrom: NOW + 3600 })

    const [first, second, ...others] = keysOf(rotated.text)
    expect(first).to.deep.equal({ ...own, note: 'from 2025' })
    expect(second).to.include({ kid: rotated.kid, signoff_signs_from: NOW + 3600, use: 'sig', alg: 'ES256' })
    expect([others, rotated.removed, rotated.signsFrom]).to.deep.equal([[], [], NOW + 3600])
    expect(await readSigningKeys(rotated.text)).to.have.length(2)
  })

  it('keeps a key that waits to sign, and signs after it', async () => {
    const once = await rotateSigningKeys(await generateSigningKeys(), { now: NOW, signsFrom: NOW + 7200 })

    const twice = await rotateSigningKeys(once.text, { now: NOW + 1, signsFrom: NOW + 3601 })

    expect(twice.signsFrom).to.equal(NOW + 7200)
    expect(keysOf(twice.text).map(({ kid }) => kid)).to.include.members([once.kid, twice.kid])
    expect(keysOf(twice.text).at(-1)).to.include({ kid: twice.kid })
  })

  it('removes keys a day and a quarter of an hour after they were replaced, and not before', async () => {
    const text = await generateSigningKeys()
    const [first] = await readSigningKeys(text)
    const once = await rotateSigningKeys(text, { now: NOW, signsFrom: NOW })
    const rotateAt = async (now: number) => await rotateSigningKeys(once.text, { now, signsFrom: now })

    const early = await rotateAt(NOW + DAY + 899)
    const late = await rotateAt(NOW + DAY + 900)

    expect([early.removed, keysOf(early.text).length]).to.deep.equal([[], 3])
    expect([late.removed, keysOf(late.text).length]).to.deep.equal([[first.kid], 2])
  })

  it('takes no more than 32 keys', async () => {
    let text = await generateSigningKeys()
    for (let count = 1; count < 32; count += 1) {
      text = (await rotateSigningKeys(text, { now: NOW, signsFrom: NOW })).text
    }

    const error: unknown = await rotateSigningKeys(text, { now: NOW, signsFrom: NOW }).catch(
      (cause: unknown) => cause,
    )

    expect(error).to.be.an('error')
    expect((error as Error).message).to.match(/^the file holds 32 keys/)
  })

  it('refuses a file that is no JWKS', async () => {
    const error: unknown = await rotateSigningKeys('{}', { now: NOW, signsFrom: NOW }).catch(
      (cause: unknown) => cause,
    )

    expect((error as Error).message).to.match(/^not a private JWKS/)
  })
})
