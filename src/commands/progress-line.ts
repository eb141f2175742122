// Says on standard error how far a long command is: now and then, and nothing where it is soon done.

const EVERY_MS = 1000

/** `words` says how much is done; it is said when it has changed, once a second at the most, the first time after one. */
export function progressLine(
  words: (count: number) => string,
  { say = sayToStderr, nowMs = () => performance.now() } = {},
): { add: (count: number) => void } {
  let count = 0
  let saidAtMs = nowMs()
  return {
    add: (more) => {
      count += more
      if (nowMs() - saidAtMs < EVERY_MS) return
      saidAtMs = nowMs()
      say(words(count))
    },
  }
}

function sayToStderr(line: string): void {
  process.stderr.write(`${line}\n`)
}
