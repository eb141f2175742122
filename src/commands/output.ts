// Prints the results of commands: for people, or with --json for programs.

export interface Output {
  json: boolean
}

/** One line for a person, or one JSON document on one line. */
export function print({ json }: Output, lines: string | string[], document: unknown): void {
  const text = json ? JSON.stringify(document) : [lines].flat().join('\n')
  process.stdout.write(`${text}\n`)
}
