// Outlives a run, whatever ends that: then ends what it left behind. Ends the run too, when whatever started it is gone.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { clear, type Warded } from './run-folder.ts'
import { parentsOf } from './process-tree.ts'

const LOOK_EVERY_MS = 1000
/** A process may have started another one just before its own end. */
const CLEARINGS = 3
const CLEAR_AGAIN_MS = 500

const lines = createInterface({ input: process.stdin })
const [line] = (await once(lines, 'line')) as [string]
const { pid, folder, starters } = JSON.parse(line) as Warded

const looking = setInterval(() => {
  if (isStarterGone()) tellToStop()
}, LOOK_EVERY_MS)
// The run holds the other end, and says nothing more: it closes when the run ends, by a `kill -9` too.
await once(lines, 'close')
clearInterval(looking)
for (let clearing = 1; clearing <= CLEARINGS; clearing++) {
  clear(folder)
  if (clearing < CLEARINGS) await sleep(CLEAR_AGAIN_MS)
}

/** By who is whose parent: one that nobody has buried yet still has its number. */
function isStarterGone(): boolean {
  const parents = parentsOf()
  return starters.some((starter, at) => parents.get(starters[at - 1] ?? pid) !== starter)
}

function tellToStop(): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch {
    // It has ended by itself.
  }
}
