// The command line of the benchmark.
import { parseArgs } from 'node:util'

export const PARTS = ['load', 'storm', 'timing'] as const
export type Part = (typeof PARTS)[number]

export interface Options {
  parts: readonly Part[]
  /** Of each measurement. */
  seconds: number
  json: boolean
}

export const USAGE = `Usage: npm run bench -- [options]

Measures Signoff over TLS on this machine, with a Postgres and a Redis of its own. Nothing is asserted.

  --only PART    load, storm or timing; may be given more than once; everything by default
  --seconds N    length of one measurement, 5 by default
  --json         print JSON and nothing else
  --help         print this
`

/** `null` when only help was asked for. Throws an `Error` that says what is wrong. */
export function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true },
      seconds: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  return { parts: readParts(values.only), seconds: readSeconds(values.seconds), json: values.json }
}

function readParts(only: string[] = [...PARTS]): Part[] {
  const unknown = only.find((name) => !PARTS.some((part) => part === name))
  if (unknown !== undefined) throw new Error(`--only: there is no part ${unknown}, only ${PARTS.join(', ')}`)
  return PARTS.filter((part) => only.includes(part))
}

function readSeconds(text: string): number {
  const seconds = Number(text)
  if (!(seconds >= 1 && seconds <= 600)) throw new Error('--seconds: a number from 1 to 600 is expected')
  return seconds
}
