// signoff keys rotate: the next signing key, published long before it signs.
import { readTrustedFile } from '../file-trust.ts'
import type { Config } from '../config.ts'
import { replaceFile } from '../embedded/files/replace-file.ts'
import { rotateSigningKeys } from '../tokens/rotate-signing-keys.ts'
import { signingKeysFileOf, timeText } from './keys.ts'
import { print, type Output } from './output.ts'
import { CACHED_SECONDS } from './publish-seconds.ts'

/** The `rotate` command: puts the new key into the file, which running instances read again by themselves. */
export async function keysRotate(
  config: Config,
  { publishSeconds }: { publishSeconds: number },
  output: Output,
): Promise<void> {
  const path = await signingKeysFileOf(config)
  const before = readTrustedFile(path)
  const now = Math.floor(Date.now() / 1000)
  // This clock may be behind by the leeway, and that of an instance ahead: it would sign by so much too soon.
  const { text, kid, signsFrom, removed } = await rotateSigningKeys(before, {
    now,
    signsFrom: now + publishSeconds + 2 * config.LEEWAY,
  })
  await replaceFile(path, { before, content: text })
  const published = signsFrom - 2 * config.LEEWAY - now
  if (published < CACHED_SECONDS) {
    process.stderr.write(
      `signoff: peers that keep the keys for longer than ${published} s refuse its tokens at first\n`,
    )
  }
  const from = String(timeText(signsFrom))
  const lines = [
    `added ${kid} to ${path}: it is published as soon as an instance reads that, and signs from ${from}`,
    ...removed.map((gone) => `removed ${gone}, whose tokens are long dead`),
    'Instances that have a copy of the file need the new one well before then.',
  ]
  print(output, lines, { kid, signs_from: from, removed })
}
