// Reads a file that may not be there.
import { readFile } from 'node:fs/promises'

/** The file's text, or null when there is no such file; other failures reject. */
export async function readIfPresent(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
