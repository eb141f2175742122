// A failing seed with as few faults as still bring the failure about.
import type { PlannedFault } from './faults.ts'

/** Resolves to the fewest faults with which `fails` says that it fails, and it does with all of them. */
export async function shrink(
  faults: readonly PlannedFault[],
  fails: (faults: readonly PlannedFault[]) => Promise<boolean>,
): Promise<readonly PlannedFault[]> {
  let kept = faults
  // Large parts first: most faults have nothing to do with it.
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = 0; start < kept.length;) {
      const fewer = [...kept.slice(0, start), ...kept.slice(start + size)]
      if (await fails(fewer)) kept = fewer
      else start += size
    }
  }
  return kept
}
