// The partitions of the denylist in Redis: what proves that each agrees with the journal, and how it is brought further.
import { denialKey, type JournalTime, watermarkKey } from '../../contract/denylist-keys.ts'
import type { Denial } from '../../auth/ports/denials.ts'
import {
  parsePosition,
  parseWatermark,
  positionText,
  watermarkText,
  type Position,
  type Watermark,
} from './proof.ts'
import type { DenylistConnection } from './connection/redis-connection.ts'
import type { ScriptCall } from './redis-commands.ts'
import { FILL_PARTITIONS, READ_WATERMARKS, RESET_WATERMARKS, STEP_WATERMARKS } from './watermark-scripts.ts'

/** Where one partition stands, read at one moment. */
export interface PartitionState {
  partition: string
  /** The position as it stands there, for the next step to compare; empty where there is none. */
  positionText: string
  position: Position | null
  /** The watermark that peers see. */
  watermark: Watermark | null
  /** Milliseconds by the clock of the Redis that holds the partition. */
  redisNowMs: number
}

/** A step of one partition: all of it is done, or nothing. */
export interface Step {
  partition: string
  /** The position that must still stand there. */
  from: string
  to: Omit<Position, 'token'>
  denials?: readonly Denial[]
  /**
   * Sets the watermark, which falls by itself at this time of the partition's Redis. `'fallen'` takes it away.
   * Without it, the watermark stays as it is.
   */
  watermarkUntilMs?: number | 'fallen'
}

export interface Watermarks {
  /** Resolves to the partitions that could be read. Rejects when none could. */
  read(): Promise<PartitionState[]>
  /**
   * Resolves to the new positions, as texts, of the partitions that stood where they were expected. The others were
   * emptied, rolled back or moved by another, or their Redis did not answer; then `failure` has the first reason.
   */
  step(steps: readonly Step[]): Promise<Steps>
  /**
   * Looks whether a partition holds the denials that its position vouches for, and writes those that it lacks.
   * Resolves to the partitions that stood where they were expected, each with the places of the missing ones among
   * its denials. Rejects when no Redis answered.
   */
  fill(fills: readonly Fill[]): Promise<Map<string, number[]>>
  /** Forgets how far each was brought, the watermark with it; the denials stay. */
  reset(): Promise<void>
}

export interface Fill {
  partition: string
  /** The position that must still stand there: one of before has been overtaken by a round, which writes by itself. */
  position: string
  denials: readonly Denial[]
}

export interface Steps {
  reached: Map<string, string>
  failure: unknown
}

/** Without an expiry: a watermark that fell because nobody could renew it does not cost a rebuild. */
export function positionKey(partition: string): string {
  return `denylist:{${partition}}:relayed`
}

/** Denials in one call: Redis does nothing else meanwhile. */
const DENIALS_PER_CALL = 1000

export interface WatermarksDeps {
  connection: Pick<DenylistConnection, 'commands' | 'spansPartitions'>
  partitions: readonly string[]
  /** A text that no other process has. */
  nonce: string
}

export function redisWatermarks({ connection, partitions, nonce }: WatermarksDeps): Watermarks {
  const { commands, spansPartitions } = connection
  let steps = 0

  return {
    read: async () => {
      const outcomes = await Promise.allSettled(inCalls(partitions).map(read))
      const states = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []))
      const failure = outcomes.find((outcome) => outcome.status === 'rejected')
      if (states.length === 0 && failure) throw failure.reason
      return states
    },

    step: async (all) => {
      steps += 1
      const token = `${nonce}${steps}`
      const taken: Steps = { reached: new Map(), failure: null }
      const take = async (group: readonly Step[]): Promise<void> => {
        const { call, targets } = stepCall(group, token)
        try {
          const answer = (await commands.run(call)) as number[]
          for (const [number, { partition, to }] of targets.entries())
            if (answer[number] === 1) taken.reached.set(partition, to)
        } catch (error) {
          taken.failure ??= error
        }
      }
      const calls = groups(all, spansPartitions)
      if (!spansPartitions) await Promise.all(calls.map(take))
      // One after the other: to make them all at once would keep requests waiting. After a failure all have the same one.
      else for (const call of calls) if (taken.failure === null) await take(call)
      return taken
    },

    fill: async (fills) => {
      const calls = inCalls(fills.map(({ partition }) => partition)).map((inCall) =>
        fills.filter(({ partition }) => inCall.includes(partition)),
      )
      const outcomes = await Promise.allSettled(
        calls.map(async (group) => await commands.run(fillCall(group))),
      )
      const filled = new Map<string, number[]>()
      for (const [index, outcome] of outcomes.entries())
        if (outcome.status === 'fulfilled') readFilled(calls[index] ?? [], outcome.value as number[], filled)
      const failure = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failure && outcomes.every(({ status }) => status === 'rejected')) throw failure.reason
      return filled
    },

    reset: async () => {
      await Promise.all(
        inCalls(partitions).map(async (inCall) => {
          await commands.run({ script: RESET_WATERMARKS, keys: proofKeys(inCall), args: [] })
        }),
      )
    },
  }

  /** The partitions of each call: all of them, or one by one where each may be with another server. */
  function inCalls(all: readonly string[]): (readonly string[])[] {
    return spansPartitions ? [all] : all.map((partition) => [partition])
  }

  async function read(inCall: readonly string[]): Promise<PartitionState[]> {
    const call: ScriptCall = { script: READ_WATERMARKS, keys: proofKeys(inCall), args: [] }
    const [redisNowMs, values, places] = (await commands.run(call)) as [number, string[], number[]]
    const positions = values.map(parsePosition)
    const watermarks = values.map(parseWatermark)
    return inCall.map((partition, index) => {
      const [place = -1, placeOfWatermark = -1] = [places[2 * index], places[2 * index + 1]]
      return {
        partition,
        positionText: values[place] ?? '',
        position: positions[place] ?? null,
        watermark: watermarks[placeOfWatermark] ?? null,
        redisNowMs,
      }
    })
  }
}

/** The steps of each call. */
function groups(all: readonly Step[], spansPartitions: boolean): Step[][] {
  const grouped: Step[][] = []
  let size = Infinity
  for (const step of all) {
    const denials = step.denials?.length ?? 0
    size += denials
    if (!spansPartitions || size > DENIALS_PER_CALL) {
      grouped.push([])
      size = denials
    }
    grouped.at(-1)?.push(step)
  }
  return grouped
}

interface StepCall {
  call: ScriptCall
  targets: { partition: string; to: string }[]
}

/** `token`: no other step of any process has it, so that no position stands in a partition twice. */
function stepCall(group: readonly Step[], token: string): StepCall {
  const keys: string[] = []
  const moves = new Map<string, { number: number; fields: (string | number)[] }>()
  const perPartition: (string | number)[] = []
  const targets: StepCall['targets'] = []
  for (const { partition, from, to, denials = [], watermarkUntilMs = '' } of group) {
    const next = positionText({ ...to, token })
    const fields = [from, next, watermarkText(to), watermarkUntilMs === 'fallen' ? '0' : watermarkUntilMs]
    const name = fields.join('\n')
    const move = moves.get(name) ?? { number: moves.size, fields }
    moves.set(name, move)
    const live = denials.filter(({ ttlMs }) => ttlMs >= 1)
    keys.push(positionKey(partition), watermarkKey(partition), ...live.map(({ id }) => denialKey(id)))
    perPartition.push(move.number, live.length, ...live.map(({ ttlMs }) => Math.ceil(ttlMs)))
    targets.push({ partition, to: next })
  }
  const args = [moves.size, ...[...moves.values()].flatMap(({ fields }) => fields), ...perPartition]
  return { call: { script: STEP_WATERMARKS, keys, args }, targets }
}

function fillCall(group: readonly Fill[]): ScriptCall {
  const keys: string[] = []
  const args: (string | number)[] = [group.length]
  for (const { partition, position, denials } of group) {
    keys.push(positionKey(partition), ...denials.map(({ id }) => denialKey(id)))
    args.push(position, denials.length, ...denials.map(({ ttlMs }) => Math.ceil(ttlMs)))
  }
  return { script: FILL_PARTITIONS, keys, args }
}

function readFilled(group: readonly Fill[], answer: readonly number[], filled: Map<string, number[]>): void {
  let at = 0
  for (const { partition } of group) {
    const count = answer[at] ?? -1
    if (count >= 0) filled.set(partition, answer.slice(at + 1, at + 1 + count))
    at += 1 + Math.max(0, count)
  }
}

function proofKeys(partitions: readonly string[]): string[] {
  return partitions.flatMap((partition) => [positionKey(partition), watermarkKey(partition)])
}

/** The earliest time that all partitions have been brought up to; 0 where one of them is not among the states. */
export function leastRelayed(states: readonly PartitionState[], partitions: readonly string[]): JournalTime {
  if (states.length < partitions.length) return 0
  return Math.min(...states.map(({ position }) => position?.relayedUpTo ?? 0))
}
