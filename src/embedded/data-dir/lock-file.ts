// One exclusive file: taken by one living process at a time, and free as soon as that process is dead.
import { createHash } from 'node:crypto'
import { link, rm } from 'node:fs/promises'
import { probeLife, type LifeSign } from './liveness.ts'
import { writeDraft } from '../files/private-file.ts'
import { isAlive } from '../process/process-state.ts'
import { readIfPresent } from '../files/read-if-present.ts'

/** The file says this, whichever process wrote it. */
export interface LockHolder extends LifeSign {
  pid: number
}

/** `held` comes with the holder's content; `changed` means that what was found is out of date: try again. */
export type Attempt = { outcome: 'taken' } | { outcome: 'held'; content: string } | { outcome: 'changed' }

/** Tries once to put `content` at `file`; a file whose writer is dead is cleared away first, by one process alone. */
export async function tryLock(file: string, content: string): Promise<Attempt> {
  if (await createWhole(file, content)) return { outcome: 'taken' }
  const found = await readIfPresent(file)
  if (found === null) return { outcome: 'changed' }
  if (await holderLives(found)) return { outcome: 'held', content: found }
  await clearAway(file, { dead: found, content })
  return { outcome: 'changed' }
}

/** Removes the file if it still holds this content; only the one who may change it can be sure of that. */
export async function unlock(file: string, content: string): Promise<void> {
  if ((await readIfPresent(file)) === content) await rm(file, { force: true })
}

/** Whether the process that wrote this content lives. One that shows neither counts while its id is in use. */
export async function holderLives(content: string): Promise<boolean> {
  const holder = parseHolder(content)
  if (!holder) return false
  const verdict = await probeLife(holder)
  return verdict === 'alive' || (verdict === 'silent' && (await isAlive(holder.pid)))
}

export function parseHolder(content: string): LockHolder | null {
  try {
    const holder = JSON.parse(content) as Partial<LockHolder> | null
    const { pid, port, nonce } = holder ?? {}
    const valid = Number.isInteger(pid) && isPort(port) && typeof nonce === 'string'
    return valid ? (holder as LockHolder) : null
  } catch {
    return null
  }
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536
}

/** Like an exclusive create (`wx`), but no reader ever sees the file empty: a link is made to content already written. */
async function createWhole(file: string, content: string): Promise<boolean> {
  const draft = await writeDraft(file, content)
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/**
 * Clearing is itself locked, by a file named after the dead content. The dead write no more, so while that lock is
 * held nobody else can change or remove the content, and what is removed is what was found dead: never a fresh lock.
 */
async function clearAway(file: string, { dead, content }: { dead: string; content: string }): Promise<void> {
  const name = createHash('sha256').update(`${file}\n${dead}`).digest('hex').slice(0, 16)
  const right = `${file.replace(/\.clear-[0-9a-f]{16}$/, '')}.clear-${name}`
  const { outcome } = await tryLock(right, content)
  if (outcome !== 'taken') return
  await unlock(file, dead)
  await unlock(right, content)
}
