// One simulated world: stores, network, instances, peers and their users, as one seed has them.
import { seededRandom, type Random } from '../fault/random.ts'
import type { Account } from '../../src/auth/ports/accounts.ts'
import { denialKey } from '../../src/contract/denylist-keys.ts'
import { checker, type Checker, type SimulatedSession } from './checker.ts'
import { route, type Route } from './network.ts'
import { postgresRows } from './postgres/postgres-rows.ts'
import { simulatedPostgres, type SimulatedPostgres } from './postgres/simulated-postgres.ts'
import { read } from './redis/redis-data.ts'
import { simulatedRedis, type SimulatedRedis } from './redis/simulated-redis.ts'
import { SIMULATED_PARTITIONS, type Settings } from './settings.ts'
import { simulatedHost, type SimulatedHost } from './simulated-host.ts'
import { simulatedInstance, type InstanceSettings, type SimulatedInstance } from './simulated-instance.ts'
import { mgetPeer, replicaPeer, type SimulatedPeer } from './simulated-peers.ts'
import type { TokenBook } from './simulated-tokens.ts'
import { trace, type Trace } from './trace.ts'
import { virtualTime, type VirtualTime } from './virtual-time.ts'

export interface World {
  readonly seed: number
  readonly settings: Settings
  readonly time: VirtualTime
  /** Of the network, the stores and the processes. */
  readonly random: Random
  readonly trace: Trace
  readonly redis: SimulatedRedis
  /** What the guards have found, as `watchRedis` would say it. */
  redisUnfit: string | null
  readonly deployments: Deployment[]
  readonly sessions: SimulatedSession[]
  readonly checker: Checker
  /** Of the machine from which operators run commands. */
  readonly operatorHost: SimulatedHost
  /** A command of an operator, by the workload. */
  disableSomebody: (() => void) | null
  /** Whether any Postgres has lost what it had committed. */
  hasLostTail: boolean
  /** The peer that asks Redis itself may be connected to a server that is a replica now. */
  isMgetStranded: boolean
  randomId: () => string
  newSessionId: () => string
  isInRedis: (id: string) => boolean
}

export interface Deployment {
  readonly name: string
  readonly issuer: string
  readonly postgres: SimulatedPostgres
  readonly book: TokenBook
  readonly accounts: Account[]
  /** By their place; one that is dead stays until another takes it. */
  readonly instances: SimulatedInstance[]
  readonly peers: SimulatedPeer[]
  routesOf: (host: string) => Routes
  peerRoute: (peer: string, instance: string) => Route
  /** Starts a process in that place. */
  start: (name: string, settings?: Partial<InstanceSettings>) => SimulatedInstance
}

export interface Routes {
  redis: Route[]
  postgres: Route
}

const NAMES = ['one', 'two', 'three']
const USERS = 6
/** Machines keep time to about that. */
const RATE_ERROR = 5e-5

export function openWorld(seed: number, settings: Settings, isTraced: boolean): World {
  const time = virtualTime()
  const random = seededRandom(seed)
  let ids = 0
  const world: World = {
    seed,
    settings,
    time,
    random,
    trace: trace(time, isTraced),
    redis: simulatedRedis({ time, random, shape: settings.shape, clocksApartMs: settings.clocksApartMs }),
    redisUnfit: null,
    deployments: [],
    sessions: [],
    checker: undefined as unknown as Checker,
    operatorHost: simulatedHost({ name: 'operator', time, aheadMs: 0, rate: 1 }),
    disableSomebody: null,
    hasLostTail: false,
    isMgetStranded: false,
    randomId: () => {
      ids += 1
      return `id-${ids.toString(16)}-${Math.floor(random.next() * 2 ** 32).toString(16)}`
    },
    newSessionId: () => {
      ids += 1
      const number = ids.toString(16).padStart(10, '0')
      return `019b0000-0000-7000-8000-${number}${random.pick(SIMULATED_PARTITIONS)}`
    },
    isInRedis: (id) => {
      const { master } = world.redis.shardOf(denialKey(id))
      return read(master.data, denialKey(id), master.nowMs()) !== null
    },
  }
  Object.assign(world, { checker: checker(world) })
  openDeployment(world, { name: '', issuer: 'https://signoff', databaseId: 'database-1' })
  return world
}

/** A second one on the same Redis. */
export function openSecond(world: World): Deployment {
  const isCopy = world.settings.second === 'copy'
  const [first] = world.deployments
  const options = {
    name: 'other-',
    issuer: world.random.chance(0.5) ? 'https://signoff' : 'https://staging',
    databaseId: isCopy ? 'database-1' : 'database-2',
  }
  return openDeployment(world, options, isCopy ? first : undefined)
}

function openDeployment(
  world: World,
  { name, issuer, databaseId }: { name: string; issuer: string; databaseId: string },
  origin?: Deployment,
): Deployment {
  const { time, random, redis, settings } = world
  const routes = new Map<string, Routes>()
  const peerRoutes = new Map<string, Route>()
  const apart = (): number => random.between(-1, 1) * settings.clocksApartMs
  const rows = postgresRows(origin?.postgres.rows)
  const postgres = simulatedPostgres({ time, random, rows, databaseId })
  postgres.aheadMs = apart()

  const newHost = (hostName: string): SimulatedHost =>
    simulatedHost({
      name: hostName,
      time,
      aheadMs: apart(),
      rate: 1 + random.between(-RATE_ERROR, RATE_ERROR),
    })

  const deployment: Deployment = {
    name,
    issuer,
    postgres,
    book: { issued: new Map(), randomId: world.randomId },
    accounts: [],
    instances: [],
    peers: [],
    routesOf: (host) => {
      let known = routes.get(host)
      if (!known) {
        known = { redis: redis.shards.map(() => route(time, random)), postgres: route(time, random) }
        routes.set(host, known)
      }
      return known
    },
    peerRoute: (peer, instance) => {
      const key = `${peer} ${instance}`
      let known = peerRoutes.get(key)
      if (!known) {
        known = route(time, random)
        peerRoutes.set(key, known)
      }
      return known
    },
    start: (place, own = {}) => {
      const started = simulatedInstance(world, deployment, {
        host: newHost(place),
        settings: { accessTtlSeconds: settings.accessTtlSeconds, ...own },
      })
      const index = deployment.instances.findIndex((instance) => instance.name === place)
      if (index === -1) deployment.instances.push(started)
      else deployment.instances[index] = started
      return started
    },
  }
  world.deployments.push(deployment)
  for (let i = 0; i < USERS; i += 1) addAccount(world, deployment)
  for (const place of NAMES.slice(0, settings.instances)) deployment.start(`${name}${place}`)
  deployment.peers.push(replicaPeer(world, deployment, newHost(`${name}replica`)))
  deployment.peers.push(mgetPeer(world, deployment, newHost(`${name}mget`)))
  return deployment
}

export function addAccount(world: World, { accounts, postgres, name }: Deployment): void {
  const id = `user-${name}${accounts.length}`
  accounts.push({
    id,
    username: id,
    passwordHash: 'x',
    role: 'user',
    isActive: true,
    unfinishedChange: null,
    claims: {},
  })
  postgres.rows.commit(world.time.nowMs, () => {
    postgres.rows.users.put(id, { id, username: id, isActive: true })
  })
}
