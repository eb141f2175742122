// Makes a copy of the built program with a bug in it.
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Planted } from './planted.ts'

export interface PlantedProgram {
  /** Holds its `main.js`. */
  dist: string
  remove(): Promise<void>
}

/** Rejects where the text to change does not stand in the program exactly once. */
export async function plant({ name, changes }: Planted): Promise<PlantedProgram> {
  // Inside the checkout, where its dependencies are found.
  const dist = `dist-planted-${name}`
  const remove = async (): Promise<void> => {
    await rm(dist, { recursive: true, force: true })
  }
  await remove()
  await cp('dist', dist, { recursive: true })
  try {
    for (const { file, find, replace } of changes) {
      const path = join(dist, file)
      const text = await readFile(path, 'utf8')
      const occurrences = text.split(find).length - 1
      if (occurrences !== 1) throw new Error(`${file} has ${occurrences} times what ${name} would change`)
      await writeFile(
        path,
        text.replace(find, () => replace),
      )
    }
  } catch (error) {
    await remove()
    throw error
  }
  return { dist, remove }
}
