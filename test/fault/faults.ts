// Everything that is done to the world: what begins it, what ends it, and what it excuses.
import { eachInstance, BOUNDS, type World } from './world.ts'
import { INSTANCES, type Actor, type InstanceName } from './history.ts'
import type { TcpProxy } from '../support/servers/tcp-proxy.ts'
import type { Random } from './random.ts'

/** Two faults of the same target never last at the same time. */
export type Target = InstanceName | 'redis' | 'postgres' | 'feed'

export interface Fault {
  name: string
  target: Target
  /** Who may answer "cannot tell" meanwhile. The peer always may: it has nobody else to ask. */
  cannotTell: readonly Actor[]
  /** Who may answer late or not at all. */
  silent: readonly InstanceName[]
  /** Resolves when it is done; what has to last lasts until `end`. */
  begin: (world: World, random: Random) => Promise<void>
  /** Resolves when all is well again. */
  end: (world: World) => Promise<void>
}

/** Far from the timeouts of Redis, and on both sides of them. */
const SLOW_MS = { least: 50, most: 400 }
const SLOW_COMMIT_SECONDS = 1.5

/** Those that can be had in this world, each once. */
export function faultsOf({ redis, ways }: Pick<World, 'redis' | 'ways'>): Fault[] {
  const isRedisBehindProxy = ways.one.redis !== null
  return [
    ...eachInstance(toInstance).flat(),
    ...eachInstance(onTheWayToPostgres).flat(),
    ...(isRedisBehindProxy ? eachInstance(onTheWayToRedis).flat() : []),
    ...redis.faults.map(({ name, begin, end }) => ({
      name,
      target: 'redis' as const,
      // The instances ask Postgres meanwhile: for them, nothing changes.
      cannotTell: ['peer'] as const,
      silent: [],
      begin: async (_world: World, random: Random) => {
        await begin(random)
      },
      end,
    })),
    ...toPostgres(),
    ...onTheWayToFeed(),
  ]
}

function toInstance(name: InstanceName): Fault[] {
  const itself = { target: name, cannotTell: [name, 'peer'], silent: [name] } as const
  return [
    {
      ...itself,
      name: `${name} killed`,
      begin: async ({ instances }) => {
        await instances[name].signal('SIGKILL')
      },
      end: async ({ instances }) => {
        await instances[name].start()
      },
    },
    {
      ...itself,
      name: `${name} hung`,
      begin: async ({ instances }) => {
        await instances[name].signal('SIGSTOP')
      },
      end: async ({ instances }) => {
        await instances[name].signal('SIGCONT')
      },
    },
    {
      ...itself,
      name: `${name} restarted with another clock`,
      begin: async ({ instances }, random) => {
        await instances[name].signal('SIGKILL')
        // Whole seconds are counted: at the very edge, both clocks could be off by one more.
        const mostMs = BOUNDS.skewMs * 0.9
        await instances[name].start(Math.round(random.between(-mostMs, mostMs)))
      },
      end: nothing,
    },
  ]
}

function onTheWayToPostgres(name: InstanceName): Fault[] {
  return onTheWay(name, {
    store: 'Postgres',
    cannotTell: [name, 'peer'],
    proxiesOf: ({ ways }) => [ways[name].postgres],
  })
}

function onTheWayToRedis(name: InstanceName): Fault[] {
  return onTheWay(name, {
    store: 'Redis',
    cannotTell: ['peer'],
    proxiesOf: ({ ways }) => [redisProxy(ways[name])],
  })
}

/** To the instances, whichever it asks. */
function onTheWayToFeed(): Fault[] {
  return onTheWay('feed', {
    store: 'the service',
    cannotTell: ['feed'],
    proxiesOf: ({ feedWays }) => Object.values(feedWays),
  })
}

interface Way {
  store: string
  cannotTell: readonly Actor[]
  proxiesOf: (world: World) => TcpProxy[]
}

function onTheWay(name: InstanceName | 'feed', { store, cannotTell, proxiesOf }: Way): Fault[] {
  const way = {
    target: name,
    cannotTell,
    silent: [],
    end: async (world: World) => {
      for (const proxy of proxiesOf(world)) proxy.pass()
      await nothing()
    },
  }
  return [
    {
      ...way,
      name: `${name} cut off ${store}`,
      begin: async (world) => {
        for (const proxy of proxiesOf(world)) proxy.cut()
        await nothing()
      },
    },
    {
      ...way,
      name: `${name} hears nothing of ${store}`,
      begin: async (world) => {
        for (const proxy of proxiesOf(world)) proxy.swallow()
        await nothing()
      },
    },
    {
      ...way,
      name: `${name} far from ${store}`,
      begin: async (world, random) => {
        const mostMs = random.between(SLOW_MS.least, SLOW_MS.most)
        for (const proxy of proxiesOf(world)) proxy.slow(() => random.between(SLOW_MS.least, mostMs))
        await nothing()
      },
    },
  ]
}

function toPostgres(): Fault[] {
  const everybody = { target: 'postgres', cannotTell: [...INSTANCES, 'peer'], silent: [] } as const
  return [
    {
      ...everybody,
      name: 'Postgres killed',
      begin: async ({ postgres }) => {
        await postgres.kill()
      },
      end: async ({ postgres }) => {
        await postgres.start()
      },
    },
    {
      ...everybody,
      name: 'Postgres hung',
      begin: async ({ postgres }) => {
        postgres.hang()
        await nothing()
      },
      end: async ({ postgres }) => {
        postgres.goOn()
        await nothing()
      },
    },
    {
      ...everybody,
      name: 'Postgres slow to commit',
      begin: async ({ postgres }) => {
        await postgres.slowCommits(SLOW_COMMIT_SECONDS)
      },
      end: async ({ postgres }) => {
        await postgres.slowCommits(0)
      },
    },
  ]
}

function redisProxy({ redis }: World['ways']['one']) {
  if (!redis) throw new Error('this Redis stands behind no proxy')
  return redis
}

async function nothing(): Promise<void> {
  await Promise.resolve()
}
