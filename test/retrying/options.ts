// The command line of the long proof that clients which retry keep their sessions.
import { parseArgs } from 'node:util'

export interface Options {
  clients: number
  rounds: number
}

export const USAGE = `Usage: npm run retrying -- [options]

Clients of two instances rotate their refresh tokens, again and again, and ask again whenever they have no answer:
every third answer is lost, one instance after the other is stopped for five seconds and woken when its clients have
gone on, and Postgres is away for longer than ROTATION_GRACE, right after each client has lost an answer. Then thieves
follow a tenth of them, and logouts race with rotations.

Ends with status 1 where a client that retried has lost its session, where a thief was not found at the second step of
the owner, or where anything of a session works after its logout.

  --clients N  50 by default
  --rounds N   rotations of each client at least, and rounds of ten logouts, each against ten rotations; 200 by default
  --help       print this
`

/** `null` when only help was asked for. Throws an `Error` that says what is wrong. */
export function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      clients: { type: 'string', default: '50' },
      rounds: { type: 'string', default: '200' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  return {
    clients: readNumber('--clients', values.clients, 500),
    rounds: readNumber('--rounds', values.rounds, 10_000),
  }
}

function readNumber(name: string, text: string, max: number): number {
  const number = Number(text)
  if (!(Number.isInteger(number) && number >= 1 && number <= max)) {
    throw new Error(`${name}: a whole number from 1 to ${max} is expected`)
  }
  return number
}
