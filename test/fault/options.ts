// The command line of the fault suite.
import { parseArgs } from 'node:util'
import { PLANTED } from './planted/planted.ts'

export const REDIS_KINDS = ['standalone', 'cluster', 'sentinel'] as const
export type RedisKind = (typeof REDIS_KINDS)[number]

export interface Options {
  minutes: number
  seed: number
  redis: RedisKind
  /** The bug to plant. */
  plant: string | null
  /** Where the history is kept. */
  history: string | null
  /** A history to check again, instead of a run. */
  check: string | null
}

export const USAGE = `Usage: npm run fault -- [options]

Runs two instances of Signoff over TLS while their stores and they themselves are killed, hung, emptied, cut off
and slowed, and proves from the history that every promise was kept. Ends with status 1 on any violation.

  --minutes N     how long faults go on, 5 by default; 0: traffic without faults
  --seed S        repeats the faults of the run that printed it
  --redis KIND    ${REDIS_KINDS.join(', ')}; standalone by default
  --plant NAME    plants a bug in a copy of the program, and ends with status 0 as soon as it is found:
                  ${PLANTED.map(({ name }) => name).join(', ')}
  --history FILE  keeps the history, as JSON lines; of a bug that was planted, what proves it
  --check FILE    checks a history that was kept, and runs nothing
  --help          print this
`

/** `null` when only help was asked for. Throws an `Error` that says what is wrong. */
export function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string' },
      redis: { type: 'string', default: 'standalone' },
      plant: { type: 'string' },
      history: { type: 'string' },
      check: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  return {
    minutes: number('minutes', values.minutes, 24 * 60),
    seed: number('seed', values.seed ?? String(Date.now() % 1_000_000), 2 ** 31),
    redis: oneOf('redis', values.redis, REDIS_KINDS),
    plant:
      values.plant === undefined
        ? null
        : oneOf(
            'plant',
            values.plant,
            PLANTED.map(({ name }) => name),
          ),
    history: values.history ?? null,
    check: values.check ?? null,
  }
}

function number(name: string, text: string, most: number): number {
  const value = Number(text)
  if (!(value >= 0 && value <= most)) throw new Error(`--${name}: a number from 0 to ${most} is expected`)
  return value
}

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((one) => one === text)
  if (found === undefined) throw new Error(`--${name}: ${known.join(', ')} are known, not ${text}`)
  return found
}
