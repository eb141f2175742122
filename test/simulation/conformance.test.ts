// The simulated scripts, held to the real ones: the same calls bring the same answers from a real Redis.
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { seededRandom, type Random } from '../fault/random.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { ACK_AGES, ackKey } from '../../src/store/redis/instance-acks.ts'
import { ANNOUNCE, ANNOUNCED_KEY, MARK_KEY, READ_MARK } from '../../src/store/redis/announcements.ts'
import type { ScriptCall } from '../../src/store/redis/redis-commands.ts'
import { FILL_PARTITIONS, READ_WATERMARKS, STEP_WATERMARKS } from '../../src/store/redis/watermark-scripts.ts'
import { positionKey } from '../../src/store/redis/watermarks.ts'
import { READ_VOUCHED } from '../../src/store/vouching/vouch-feed.ts'
import { denialKey, watermarkKey } from '../../src/contract/denylist-keys.ts'
import { read } from './redis/redis-data.ts'
import { redisServer, type RedisAnswer, type RedisServer } from './redis/redis-server.ts'
import { SIMULATED_SCRIPTS } from './redis/redis-scripts.ts'
import { WORLD_BEGAN_AT } from './simulated-host.ts'
import { virtualTime } from './virtual-time.ts'

const PARTITIONS = ['00', '01']
const CALLS = 600
/** Both clocks are read apart, and a machine may be slow: times are compared to this. */
const SAME_MS = 60_000

describe('the simulated Redis', () => {
  let real: TestRedis
  let client: Redis

  before(async () => {
    real = await testRedis()
    client = new Redis(real.url, { replyMapping: 'legacy' })
  })
  after(async () => {
    client.disconnect()
    await real.remove()
  })

  for (const seed of [1, 2, 3]) {
    it(`answers ${CALLS} calls as a real one does, with seed ${seed}`, async () => {
      await client.flushall()
      const random = seededRandom(seed)
      const time = virtualTime()
      const simulated = redisServer('simulated', time, 10)
      const positions = new Map(PARTITIONS.map((partition) => [partition, '']))
      // Its clock shows what the real one shows.
      const [seconds = 0] = await client.time()
      simulated.aheadMs = seconds * 1000 - WORLD_BEGAN_AT

      for (let number = 0; number < CALLS; number += 1) {
        const call = randomCall(random, { positions, number, nowMs: simulated.nowMs() })
        const answers = [await runReal(client, call), await runSimulated(simulated, call)]

        expect(timeless(answers[1]), `${call.script.name} ${call.args.join(' ')}`).to.deep.equal(
          timeless(answers[0]),
        )
      }
      for (const key of allKeys())
        expect(read(simulated.data, key, simulated.nowMs()), key).to.equal(await client.get(key))
    })
  }

  it('has every script that the service runs in it', () => {
    const scripts = [
      READ_WATERMARKS,
      STEP_WATERMARKS,
      FILL_PARTITIONS,
      ACK_AGES,
      ANNOUNCE,
      READ_MARK,
      READ_VOUCHED,
    ]

    expect(Object.keys(SIMULATED_SCRIPTS)).to.include.members(scripts.map(({ name }) => name))
  })
})

function ids(partition: string): string[] {
  return [1, 2, 3, 4].map((number) => `00000000-0000-7000-8000-00000000${number}0${partition}`)
}

function allKeys(): string[] {
  return PARTITIONS.flatMap((partition) => [
    positionKey(partition),
    watermarkKey(partition),
    ...ids(partition).map(denialKey),
  ])
}

interface Known {
  positions: Map<string, string>
  number: number
  nowMs: number
}

/** Positions are now the right ones, and now not. */
function randomCall(random: Random, { positions, number, nowMs }: Known): ScriptCall {
  const some = PARTITIONS.filter(() => random.chance(0.7))
  switch (random.pick(['read', 'step', 'step', 'fill', 'acks', 'announce', 'mark', 'vouched'])) {
    case 'step':
      return randomStep(random, some, { positions, number, nowMs })
    case 'fill':
      return randomFill(random, some, positions)
    case 'acks':
      return { script: ACK_AGES, keys: ['a', 'b'].map(ackKey), args: [] }
    case 'announce':
      return { script: ANNOUNCE, keys: [ANNOUNCED_KEY], args: ['journal', 'name', `id-${number}`, 1000] }
    case 'mark':
      return { script: READ_MARK, keys: [MARK_KEY], args: [`mark ${number}`] }
    case 'vouched':
      return { script: READ_VOUCHED, keys: [watermarkKey('00'), positionKey('00'), MARK_KEY], args: [] }
    default:
      return {
        script: READ_WATERMARKS,
        keys: some.flatMap((partition) => [positionKey(partition), watermarkKey(partition)]),
        args: [],
      }
  }
}

const LONG_MS = 10_000_000

function randomStep(
  random: Random,
  some: readonly string[],
  { positions, number, nowMs }: Known,
): ScriptCall {
  const keys: string[] = []
  const moves: (string | number)[] = []
  const perPartition: (string | number)[] = []
  for (const partition of some) {
    const denials = ids(partition).filter(() => random.chance(0.4))
    const isRight = random.chance(0.7)
    const from = isRight ? (positions.get(partition) ?? '') : 'elsewhere'
    const to = `position ${number}`
    if (isRight) positions.set(partition, to)
    keys.push(positionKey(partition), watermarkKey(partition), ...denials.map(denialKey))
    const falls = random.pick(['', '0', nowMs + LONG_MS, nowMs - LONG_MS])
    perPartition.push(moves.length / 4, denials.length, ...denials.map(() => LONG_MS))
    moves.push(from, to, `watermark ${number}`, falls)
  }
  const args = [moves.length / 4, ...moves, ...perPartition]
  return { script: STEP_WATERMARKS, keys, args }
}

function randomFill(random: Random, some: readonly string[], positions: Known['positions']): ScriptCall {
  const keys: string[] = []
  const args: (string | number)[] = [some.length]
  for (const partition of some) {
    const denials = ids(partition).filter(() => random.chance(0.4))
    keys.push(positionKey(partition), ...denials.map(denialKey))
    args.push(
      random.chance(0.7) ? (positions.get(partition) ?? '') : 'elsewhere',
      denials.length,
      ...denials.map(() => LONG_MS),
    )
  }
  return { script: FILL_PARTITIONS, keys, args }
}

async function runReal(client: Redis, { script, keys, args }: ScriptCall): Promise<unknown> {
  return await client.eval(script.lua, keys.length, ...keys, ...args)
}

async function runSimulated(server: RedisServer, call: ScriptCall): Promise<unknown> {
  const answer = await new Promise<RedisAnswer>((resolve) => {
    server.ask({ kind: 'run', call }, resolve)
  })
  if ('error' in answer) throw answer.error
  return answer.value
}

/** With times that are nearly the same made the same. */
function timeless(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(timeless)
  if (typeof answer === 'number')
    return Math.abs(answer) > 1_000_000 ? Math.round(answer / SAME_MS / 10) : answer
  if (typeof answer === 'string' && /^\d{13}-\d+$/.test(answer)) return 'an id of a stream'
  return answer
}
