// Writes files that only their owner may read and that are whole or absent, never half written.
import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'

/** Resolves once the content is durable under `file`, mode 0600, in place of what was there. */
export async function writePrivateFile(file: string, content: string): Promise<void> {
  await replaceByDraft(file, content)
}

/**
 * Writes the content beside `file`, has `prepare` see to that draft, and puts it in the place of `file`. Where any of
 * it fails, it leaves `file` as it is and no draft behind.
 */
export async function replaceByDraft(
  file: string,
  content: string,
  prepare?: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = await writeDraft(file, content)
  try {
    await prepare?.(draft)
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/** Writes the content to a new file beside `file`, mode 0600, and resolves to its path. */
export async function writeDraft(file: string, content: string): Promise<string> {
  const draft = `${file}.${randomBytes(8).toString('hex')}.new`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return draft
}
