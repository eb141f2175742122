// Tells what can be known of a process that this one did not start.
import { readFile, readlink } from 'node:fs/promises'

/** Whether a process with this id exists and has not ended; a zombie nobody reaps has. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The state follows the program's name, which stands in parentheses and may hold any character.
  return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
}

/** The directory the process is in now, or null where that can not be told. */
export async function workingDirectory(pid: number): Promise<string | null> {
  return await readlink(`/proc/${pid}/cwd`).catch(() => null)
}
