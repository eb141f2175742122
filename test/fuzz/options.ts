// The command line of the fuzzer.
import { parseArgs } from 'node:util'

export interface Options {
  requests: number
  seed: number
  /** Connections at a time. */
  connections: number
}

export const USAGE = `Usage: npm run fuzz -- [options]

Sends structured requests over TLS to every endpoint of /openapi.json: bodies that fit the schema and bodies that do
not, as JSON, forms, multipart and garbage, compressed, too long, in chunks, half-sent, and pipelined behind requests
that are refused; with good, used, altered and no credentials. Everything that is sent follows from the seed; what is
answered depends on the order as well.

Ends with status 1 where an answer is a 5xx other than a 503 with Retry-After, where one is later than the deadline of
a request, where a connection is neither usable nor closed after an answer, or where memory does not stay level.

  --requests N     300000 by default
  --seed S         1 by default
  --connections N  at a time, 16 by default
  --help           print this
`

/** `null` when only help was asked for. Throws an `Error` that says what is wrong. */
export function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: 'string', default: '300000' },
      seed: { type: 'string', default: '1' },
      connections: { type: 'string', default: '16' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  return {
    requests: readNumber('--requests', values.requests, 10_000_000),
    seed: readNumber('--seed', values.seed, 2 ** 31),
    connections: readNumber('--connections', values.connections, 200),
  }
}

function readNumber(name: string, text: string, max: number): number {
  const number = Number(text)
  if (!(Number.isInteger(number) && number >= 1 && number <= max)) {
    throw new Error(`${name}: a whole number from 1 to ${max} is expected`)
  }
  return number
}
