// Writes files that only their owner may read and that are whole or absent, never half written.
import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'

/** Resolves once the content is durable under `file`, mode 0600, in place of what was there. */
export async function writePrivateFile(file: string, content: string): Promise<void> {
  const draft = await writeDraft(file, content)
  try {
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
