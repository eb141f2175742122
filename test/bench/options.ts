// The command line of the benchmark.
import { parseArgs } from 'node:util'

const SHORT_PARTS = [
  'idle',
  'load',
  'cost',
  'storm',
  'guesses',
  'timing',
  'propagation',
  'feed',
  'rebuild',
  'verify',
] as const
export const PARTS = [...SHORT_PARTS, 'many-sessions', 'sweep', 'keys', 'day'] as const
export type Part = (typeof PARTS)[number]

export interface Options {
  parts: readonly Part[]
  /** Of each measurement. */
  seconds: number
  /** Of the day in small. */
  daySeconds: number
  /** Live in the journal for the rebuild and the sweep. */
  denials: number
  /** Of the user who has very many. */
  userSessions: number
  json: boolean
}

export const USAGE = `Usage: npm run bench -- [options]

Measures Signoff over TLS on this machine, with a Postgres and a Redis of its own. Nothing is asserted.

  --only PART    idle, load, cost, storm, guesses, timing, propagation, feed, rebuild, verify, many-sessions, sweep, keys or
                 day; may be given more than once; all but the last four by default
  --seconds N    length of one measurement, 5 by default; of the day, 240
  --denials N    live denials for the rebuild and the sweep, 1000000 by default
  --sessions N   of the user who has many sessions, 100000 by default
  --json         print JSON and nothing else
  --help         print this
`

/** `null` when only help was asked for. Throws an `Error` that says what is wrong. */
export function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true },
      seconds: { type: 'string' },
      denials: { type: 'string', default: '1000000' },
      sessions: { type: 'string', default: '100000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  return {
    parts: readParts(values.only),
    seconds: readNumber('--seconds', values.seconds ?? '5', 600),
    daySeconds: readNumber('--seconds', values.seconds ?? '240', 600),
    denials: readNumber('--denials', values.denials, 10_000_000),
    userSessions: readNumber('--sessions', values.sessions, 1_000_000),
    json: values.json,
  }
}

function readParts(only: string[] = [...SHORT_PARTS]): Part[] {
  const unknown = only.find((name) => !PARTS.some((part) => part === name))
  if (unknown !== undefined) throw new Error(`--only: there is no part ${unknown}, only ${PARTS.join(', ')}`)
  return PARTS.filter((part) => only.includes(part))
}

function readNumber(name: string, text: string, max: number): number {
  const number = Number(text)
  if (!(number >= 1 && number <= max)) throw new Error(`${name}: a number from 1 to ${max} is expected`)
  return number
}
