// The line in which those who guess from one address, or one IPv6 /48, at the same moment wait for each other.

/** The guesses from one address, or one IPv6 /48, at this moment. */
export interface Line {
  /** Waiting or being evaluated. */
  length: number
  /** Being evaluated, all together and by username. */
  evaluated: number
  evaluatedOf: Map<string, number>
  /** Ends when whoever stands ahead is admitted or refused. */
  turn: Promise<void>
  /** Wakes the one at the head when an evaluation has ended. */
  wake: () => void
}

export function newLine(): Line {
  return {
    length: 0,
    evaluated: 0,
    evaluatedOf: new Map(),
    turn: Promise.resolve(),
    wake: () => undefined,
  }
}

export function begin(line: Line, username: string): void {
  line.evaluated += 1
  line.evaluatedOf.set(username, (line.evaluatedOf.get(username) ?? 0) + 1)
}

export function end(line: Line, username: string): void {
  line.evaluated -= 1
  const left = (line.evaluatedOf.get(username) ?? 1) - 1
  if (left > 0) line.evaluatedOf.set(username, left)
  else line.evaluatedOf.delete(username)
  line.wake()
}

/** Runs `work` when whoever stands ahead is done with theirs. */
export async function inTurn<T>(line: Line, work: () => Promise<T>): Promise<T> {
  const done = line.turn.then(work)
  line.turn = done.then(
    () => undefined,
    () => undefined,
  )
  return await done
}

/** For the one at the head: resolves when an evaluation has ended. */
export async function evaluationEnd(line: Line): Promise<void> {
  await new Promise<void>((resolve) => (line.wake = resolve))
}
