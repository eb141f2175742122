// Which faults happen when: by chance, from a seed, alone and in pairs, with pauses in which all must be well.
import type { Fault, Target } from './faults.ts'
import { seededRandom, type Random } from './random.ts'

export interface PlannedFault {
  name: string
  /** Milliseconds since the beginning. */
  atMs: number
  durationMs: number
}

type Plannable = Pick<Fault, 'name' | 'target'>

const DURATION_MS = { least: 1000, most: 8000 }
/** Of pairs that were chosen: so that a lease runs out meanwhile, and a while after. */
const PAIR_DURATION_MS = { least: 8000, most: 11_000 }
const PAUSE_MS = { least: 500, most: 2500 }
/** Beyond the settling time, so that answers are held to what they are in good times. */
const CALM_MS = 8000
const CALM_EVERY = 6
const TWO_AT_ONCE = 0.35
const CHOSEN_PAIR = 0.35

/** `$` is one of the instances, `@` the other one. */
const CHOSEN_PAIRS: readonly (readonly [string, string])[] = [
  // Nobody can tell Redis of a logout: only the end of the lease can.
  ['$ cut off Redis', '@ cut off Redis'],
  ['$ cut off Redis', '@ hung'],
  ['$ hears nothing of Redis', '@ cut off Postgres'],
  // Only the relay can tell Redis, and it sees the row late.
  ['$ cut off Redis', 'Postgres slow to commit'],
  ['$ hears nothing of Redis', 'Postgres slow to commit'],
  // The journal is read slowly: time to see what the relay does first.
  ['$ far from Postgres', 'Redis emptied'],
  ['$ far from Postgres', 'Redis restarted empty'],
  // What Redis lost has to come from a journal that is away.
  ['Redis restarted empty', 'Postgres hung'],
  ['Redis restarted on old data', 'Postgres killed'],
  // Writes fail, reads work, and the relay is somewhere else.
  ['Redis full', '@ hung'],
  ['Redis full', '$ cut off Postgres'],
  ['$ killed', 'Redis killed'],
]

/** In the order of their beginning; the last one ends at `lengthMs` or soon after. Throws without faults. */
export function planFaults(faults: readonly Plannable[], seed: number, lengthMs: number): PlannedFault[] {
  const random = seededRandom(seed)
  const next = bag(faults, random)
  const planned: PlannedFault[] = []
  let atMs = 0
  for (let step = 1; atMs < lengthMs; step++) {
    const { together, endMs } = stepAt(atMs, next, { faults, random })
    planned.push(...together)
    atMs = endMs + (step % CALM_EVERY === 0 ? CALM_MS : random.between(PAUSE_MS.least, PAUSE_MS.most))
  }
  return planned
}

interface Choice {
  faults: readonly Plannable[]
  random: Random
}

function stepAt(atMs: number, next: (than?: Target) => Plannable, { faults, random }: Choice) {
  const together: PlannedFault[] = []
  const add = (name: string, delayMs: number, duration: typeof DURATION_MS): void => {
    together.push({
      name,
      atMs: Math.round(atMs + delayMs),
      durationMs: Math.round(random.between(duration.least, duration.most)),
    })
  }
  const pair = random.chance(CHOSEN_PAIR) ? chosenPair(faults, random) : null
  if (pair) {
    for (const name of pair) add(name, random.between(0, 300), PAIR_DURATION_MS)
  } else {
    const first = next()
    add(first.name, 0, DURATION_MS)
    if (random.chance(TWO_AT_ONCE)) add(next(first.target).name, random.between(0, 2000), DURATION_MS)
  }
  together.sort((left, right) => left.atMs - right.atMs)
  return { together, endMs: Math.max(...together.map((fault) => fault.atMs + fault.durationMs)) }
}

function chosenPair(faults: readonly Plannable[], random: Random): string[] | null {
  const [one = '', other = ''] = random.shuffled(['one', 'two'])
  const names = random.pick(CHOSEN_PAIRS).map((name) => name.replace('$', one).replace('@', other))
  return names.every((name) => faults.some((fault) => fault.name === name)) ? names : null
}

/** Each fault comes before any comes again. */
function bag(faults: readonly Plannable[], random: Random): (than?: Target) => Plannable {
  let left: Plannable[] = []
  return (than) => {
    const fits = ({ target }: Plannable): boolean => target !== than
    if (!left.some(fits)) left = [...left, ...random.shuffled(faults)]
    const index = left.findIndex(fits)
    const [fault] = left.splice(index, 1)
    if (!fault) throw new Error('there are no faults to plan')
    return fault
  }
}
