// One simulated Redis server: it runs what it is sent in its order, may hang, refuse or forget, and feeds a follower.
import type { ScriptCall, StreamEntry, StreamRead } from '../../../src/store/redis/redis-commands.ts'
import { WORLD_BEGAN_AT } from '../simulated-host.ts'
import type { VirtualTime } from '../virtual-time.ts'
import {
  apply,
  copyOf,
  entriesAfter,
  expire,
  read,
  redisData,
  type Effect,
  type RedisData,
} from './redis-data.ts'
import { SIMULATED_SCRIPTS, type ScriptRun } from './redis-scripts.ts'

export type RedisCommand =
  | { kind: 'mget'; keys: string[] }
  | { kind: 'set'; key: string; value: string; ttlMs: number }
  | { kind: 'run'; call: ScriptCall }
  | { kind: 'read-stream'; key: string; read: StreamRead }

export type RedisAnswer = { value: unknown } | { error: Error }

export interface RedisServer {
  readonly name: string
  readonly data: RedisData
  /** By how much its clock is ahead of the world's. */
  aheadMs: number
  /** Why it takes no writes, or nothing at all; as it says so. */
  writeRefusal: string | null
  refusal: string | null
  readonly isUp: boolean
  readonly isHung: boolean
  /** Answers in the order in which it was asked, but for those that wait for a stream. */
  ask: (command: RedisCommand, answer: (answer: RedisAnswer) => void) => void
  /** As by SIGSTOP: it goes on with all that came meanwhile. */
  hang: () => void
  resume: () => void
  down: () => void
  up: () => void
  /** What a replica, or its file, has got so far. */
  readonly follower: Follower
  /** Puts other data in the place of its own: of a replica or a file; the follower gets it all. */
  load: (data: RedisData) => void
  /** By hand, or to make room; replicas hear of it. */
  drop: (key: string) => void
  nowMs: () => number
}

export interface Follower {
  /** While `false`, nothing that is written reaches it. */
  isLinked: boolean
  lagMs: number
  /** All that has reached it by now. */
  data: () => RedisData
}

interface Waiting {
  key: string
  read: StreamRead
  answer: (answer: RedisAnswer) => void
  isDone: boolean
}

const EXPIRE_EVERY = 2000
const FOLLOW_EVERY = 500

export function redisServer(name: string, time: VirtualTime, lagMs: number): RedisServer {
  let data = redisData()
  let isUp = true
  let isHung = false
  let backlog: (() => void)[] = []
  let waiting: Waiting[] = []
  let writes = 0

  const followed = redisFollower(time, lagMs)

  const server: RedisServer = {
    name,
    get data() {
      return data
    },
    aheadMs: 0,
    writeRefusal: null,
    refusal: null,
    get isUp() {
      return isUp
    },
    get isHung() {
      return isHung
    },
    ask: (command, answer) => {
      if (!isUp) return
      if (isHung)
        backlog.push(() => {
          execute(command, answer)
        })
      else execute(command, answer)
    },
    hang: () => {
      isHung = true
    },
    resume: () => {
      isHung = false
      const work = backlog
      backlog = []
      for (const run of work) run()
    },
    down: () => {
      isUp = false
      isHung = false
      backlog = []
      waiting = []
    },
    up: () => {
      isUp = true
    },
    follower: followed.follower,
    load: (loaded) => {
      data = copyOf(loaded)
      followed.reset(data)
    },
    drop: (key) => {
      record([{ kind: 'del', key }])
      apply(data, { kind: 'del', key })
    },
    nowMs,
  }
  return server

  function nowMs(): number {
    return Math.floor(WORLD_BEGAN_AT + time.nowMs + server.aheadMs)
  }

  function execute(command: RedisCommand, answer: (answer: RedisAnswer) => void): void {
    try {
      if (server.refusal !== null) throw new Error(server.refusal)
      if (command.kind === 'read-stream') readStream(command, answer)
      else answer({ value: valueOf(command) })
    } catch (error) {
      answer({ error: error as Error })
    }
  }

  function valueOf(command: Exclude<RedisCommand, { kind: 'read-stream' }>): unknown {
    switch (command.kind) {
      case 'mget': {
        const now = nowMs()
        return command.keys.map((key) => read(data, key, now))
      }
      case 'set': {
        const { key, value, ttlMs } = command
        if (!Number.isInteger(ttlMs) || ttlMs < 1) throw new Error('ERR invalid expire time in set')
        if (server.writeRefusal !== null) throw new Error(server.writeRefusal)
        const effect: Effect = { kind: 'set', key, value, expiresAtMs: nowMs() + ttlMs }
        apply(data, effect)
        record([effect])
        return 'OK'
      }
      case 'run':
        return runScript(command.call)
    }
  }

  function runScript({ script, keys, args }: ScriptCall): unknown {
    const simulated = SIMULATED_SCRIPTS[script.name]
    if (!simulated) throw new Error(`the script ${script.name} is not simulated`)
    const run: ScriptRun = {
      data,
      keys,
      args: args.map(String),
      nowMs: nowMs(),
      refusal: server.writeRefusal,
      effects: [],
    }
    const value = simulated(run)
    if (run.effects.length > 0) record(run.effects)
    return value
  }

  function record(effects: Effect[]): void {
    followed.take(effects)
    writes += 1
    if (writes % EXPIRE_EVERY === 0) expire(data, nowMs())
    if (waiting.length > 0 && effects.some(({ kind }) => kind === 'add')) serveWaiting()
  }

  function readStream(
    { key, read: { after, count, blockMs } }: { key: string; read: StreamRead },
    answer: (answer: RedisAnswer) => void,
  ): void {
    const entries = entriesAfter(data, key, { after, count })
    if (entries.length > 0) {
      answer({ value: entries })
      return
    }
    const one: Waiting = { key, read: { after, count, blockMs }, answer, isDone: false }
    waiting.push(one)
    time.at(time.nowMs + blockMs, () => {
      if (one.isDone || !isUp) return
      const giveUp = (): void => {
        if (!one.isDone) finish(one, [])
      }
      if (isHung) backlog.push(giveUp)
      else giveUp()
    })
  }

  function serveWaiting(): void {
    for (const one of [...waiting]) {
      const entries = entriesAfter(data, one.key, one.read)
      if (entries.length > 0) finish(one, entries)
    }
  }

  function finish(one: Waiting, entries: StreamEntry[]): void {
    one.isDone = true
    waiting = waiting.filter((other) => other !== one)
    one.answer({ value: entries })
  }
}

/** Gets what is written in the order in which it was, each script as a whole, a while later. */
function redisFollower(time: VirtualTime, lagMs: number) {
  let copy = redisData()
  let pending: { atMs: number; effects: Effect[] }[] = []
  let isLinked = true
  let brokenAt = Infinity

  function catchUp(): void {
    const until = Math.min(brokenAt, time.nowMs - follower.lagMs)
    let done = 0
    for (const { atMs, effects } of pending) {
      if (atMs > until) break
      for (const effect of effects) apply(copy, effect)
      done += 1
    }
    if (done > 0) pending = pending.slice(done)
  }

  const follower: Follower = {
    get isLinked() {
      return isLinked
    },
    set isLinked(linked) {
      if (linked === isLinked) return
      catchUp()
      isLinked = linked
      brokenAt = linked ? Infinity : time.nowMs
    },
    lagMs,
    data: () => {
      catchUp()
      return copy
    },
  }
  return {
    follower,
    take: (effects: Effect[]) => {
      pending.push({ atMs: time.nowMs, effects })
      if (pending.length % FOLLOW_EVERY === 0) catchUp()
    },
    reset: (data: RedisData) => {
      copy = copyOf(data)
      pending = []
      brokenAt = isLinked ? Infinity : time.nowMs
    },
  }
}
