// The command line of the failover.
import { parseArgs } from 'node:util'

export const MODES = ['async', 'sync'] as const
export type Mode = (typeof MODES)[number]

export interface Options {
  mode: Mode
  json: boolean
  seed: number
  /** Where the history is kept. */
  history: string | null
}

export const USAGE = `Usage: npm run failover -- [options]

Runs two instances of Signoff over TLS, under load, on a Postgres of two members that Patroni fails over between
(Debian's packages patroni, etcd-server, haproxy and postgresql; fetched without root where the machine lacks them).
The primary's replication is held back for a moment, then the primary and its Patroni are killed. Ten seconds after
the replica took over Redis is emptied and one instance is killed and started again, so that only the journal knows
what was logged out. Takes about two minutes, and ends itself after five.

Ends with status 1 on any violation of the rules a, b, c, f and, for refusals, d of docs/promise.md; where a lost
logout does not come back into the journal; where a synchronous failover lost anything; and where an asynchronous
one lost no logout, as that proves nothing. Late answers and "cannot tell" are counted, not judged.

  --mode MODE     async: commits are answered before the replica has them, and the last ones are lost;
                  sync: after it has them (synchronous_mode of Patroni), and none may be; async by default
  --seed S        of the traffic
  --history FILE  keeps the history, as JSON lines
  --json          prints the figures as JSON
  --help          print this
`

/** `null` when only help was asked for. Throws an `Error` that says what is wrong. */
export function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      mode: { type: 'string', default: 'async' },
      seed: { type: 'string' },
      history: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const mode = MODES.find((one) => one === values.mode)
  if (mode === undefined) throw new Error(`--mode: ${MODES.join(' and ')} are known, not ${values.mode}`)
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed: a whole number is expected')
  return { mode, seed, json: values.json, history: values.history ?? null }
}
