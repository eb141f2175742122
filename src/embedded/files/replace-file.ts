// Puts new content into a file that others read: at once, with the mode and the owner that the file had.
import { chmod, chown, readFile, realpath, stat } from 'node:fs/promises'
import { replaceByDraft } from './private-file.ts'

/**
 * Resolves once the content is durable in place of `before`; no reader sees half of it. Rejects, and leaves the file as
 * it is, where it holds something else meanwhile, or the new one cannot be given the same owner.
 */
export async function replaceFile(
  path: string,
  { before, content }: { before: string; content: string },
): Promise<void> {
  // The file itself, and not a link that leads to it.
  const file = await realpath(path)
  const { mode, uid, gid } = await stat(file)
  await replaceByDraft(file, content, async (draft) => {
    const own = await stat(draft)
    if (own.uid !== uid || own.gid !== gid) await chown(draft, uid, gid)
    await chmod(draft, mode & 0o777)
    if ((await readFile(file, 'utf8')) !== before) {
      throw new Error(`${path} was changed by somebody else meanwhile: try again`)
    }
  })
}
