// The scripts of the denylist as a simulated Redis runs them, by their names; a test holds them to the real ones.
import { apply, nextStreamId, read, type Effect, type RedisData } from './redis-data.ts'

/** What a script is run with. */
export interface ScriptRun {
  data: RedisData
  keys: string[]
  args: string[]
  /** By the clock of this Redis, in whole milliseconds. */
  nowMs: number
  /** Why it takes no writes, as it says so; `null` when it does. */
  refusal: string | null
  /** What it changes; it is changed already. */
  effects: Effect[]
}

type SimulatedScript = (run: ScriptRun) => unknown

export const SIMULATED_SCRIPTS: Record<string, SimulatedScript> = {
  'read-watermarks': ({ data, keys, nowMs }) => {
    const values = keys.map((key) => read(data, key, nowMs) ?? '')
    const different = [...new Set(values)]
    return [nowMs, different, values.map((value) => different.indexOf(value))]
  },

  'step-watermarks': (run) => {
    const { data, keys, args, nowMs } = run
    const answer: number[] = []
    let key = 0
    for (let arg = 1 + 4 * Number(args[0]); arg < args.length;) {
      const move = 1 + 4 * Number(args[arg])
      const [from = '', to = '', watermark = '', falls = ''] = args.slice(move, move + 4)
      const count = args[arg + 1]
      const position = text(keys[key])
      const isExpected = (read(data, position, nowMs) ?? '') === from
      if (isExpected) {
        for (let j = 1; j <= Number(count); j += 1)
          set(run, {
            key: text(keys[key + 1 + j]),
            value: '1',
            expiresAtMs: nowMs + whole(args[arg + 1 + j]),
          })
        set(run, { key: position, value: to, expiresAtMs: Infinity })
        setWatermark(run, { key: text(keys[key + 1]), watermark, falls })
      }
      answer.push(isExpected ? 1 : 0)
      key += 2 + Number(count)
      arg += 2 + Number(count)
    }
    return answer
  },

  'fill-partitions': (run) => {
    const { data, keys, args, nowMs } = run
    const answer: number[] = []
    let key = 0
    let arg = 1
    for (let i = 0; i < Number(args[0]); i += 1) {
      const count = Number(args[arg + 1])
      if (read(data, text(keys[key]), nowMs) !== args[arg]) answer.push(-1)
      else {
        // A command that may write is refused before it looks.
        if (run.refusal !== null && count > 0) throw new Error(run.refusal)
        const missing: number[] = []
        for (let j = 1; j <= count; j += 1) {
          const denial = text(keys[key + j])
          if (read(data, denial, nowMs) !== null) continue
          set(run, { key: denial, value: '1', expiresAtMs: nowMs + whole(args[arg + 1 + j]) })
          missing.push(j - 1)
        }
        answer.push(missing.length, ...missing)
      }
      key += 1 + count
      arg += 2 + count
    }
    return answer
  },

  'read-vouched': ({ data, keys, nowMs }) => {
    const [watermark = '', position = '', mark = ''] = keys
    const expiresAtMs = data.strings.get(watermark)?.expiresAtMs ?? -Infinity
    const leftMs = expiresAtMs <= nowMs ? -2 : expiresAtMs === Infinity ? -1 : expiresAtMs - nowMs
    const values = [watermark, position, mark].map((key) => read(data, key, nowMs) ?? '')
    return [values[0], leftMs, values[1], values[2]]
  },

  'reset-watermarks': (run) => {
    for (const key of run.keys) remove(run, key)
    return run.keys.length
  },

  'ack-ages': ({ data, keys, nowMs }) =>
    keys.map((key) => {
      const said = read(data, key, nowMs)
      return said === null ? -1 : nowMs - Number(said)
    }),

  announce: (run) => {
    const { data, keys, args, nowMs } = run
    const key = text(keys[0])
    const id = nextStreamId(data, key, nowMs)
    change(run, { kind: 'add', key, id, fields: [...args] })
    trim(run, key, (Math.floor(nowMs / 1000) - KEPT_SECONDS) * 1000)
    return id
  },

  'read-mark': (run) => {
    const { data, keys, args, nowMs } = run
    const key = text(keys[0])
    // A command that may write is refused before it looks.
    if (run.refusal !== null) throw new Error(run.refusal)
    if (read(data, key, nowMs) === null) set(run, { key, value: text(args[0]), expiresAtMs: Infinity })
    return [read(data, key, nowMs), nowMs]
  },
}

function setWatermark(
  run: ScriptRun,
  { key, watermark, falls }: { key: string; watermark: string; falls: string },
): void {
  if (falls === '0') remove(run, key)
  else if (falls !== '') set(run, { key, value: watermark, expiresAtMs: whole(falls) })
}

const KEPT_SECONDS = 600
/** Redis drops whole nodes of a stream, when it is told that about will do. */
const NODE_ENTRIES = 100

function trim(run: ScriptRun, key: string, oldestMs: number): void {
  const entries = run.data.streams.get(key)?.entries ?? []
  let count = 0
  while (Number.parseInt(entries[count + NODE_ENTRIES - 1]?.[0] ?? 'Infinity', 10) < oldestMs)
    count += NODE_ENTRIES
  if (count > 0) change(run, { kind: 'trim', key, count })
}

function set(
  run: ScriptRun,
  { key, value, expiresAtMs }: { key: string; value: string; expiresAtMs: number },
) {
  change(run, { kind: 'set', key, value, expiresAtMs })
}

function remove(run: ScriptRun, key: string): void {
  change(run, { kind: 'del', key })
}

/** A script is refused at its first write, before it has done any. */
function change(run: ScriptRun, effect: Effect): void {
  const isForMemory = effect.kind === 'set' || effect.kind === 'add'
  if (run.refusal !== null && (isForMemory || !run.refusal.startsWith('OOM'))) {
    if (run.effects.length === 0) throw new Error(run.refusal)
  }
  run.effects.push(effect)
  apply(run.data, effect)
}

/** Redis takes whole numbers only. */
function whole(argument: string | undefined): number {
  if (!/^-?\d+$/.test(argument ?? '')) throw new Error('ERR value is not an integer or out of range')
  return Number(argument)
}

function text(argument: string | undefined): string {
  if (argument === undefined) throw new Error('ERR wrong number of arguments')
  return argument
}
