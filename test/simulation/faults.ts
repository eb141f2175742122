// All that can go wrong in a simulated world: each fault by its name, with its beginning and its end.
import { changed, networkFaults, pickOf, type Act, type Fault } from './network-faults.ts'
import type { Shard } from './redis/simulated-redis.ts'
import type { SimulatedInstance } from './simulated-instance.ts'
import type { Deployment, World } from './world.ts'

export interface PlannedFault {
  name: string
  atMs: number
  durationMs: number
  /** From 0 to 1: the rest of what is left to chance. */
  choice: number
}

const nothing = (): void => undefined

export const FAULTS: Record<string, Fault> = {
  ...networkFaults('Redis', ({ deployment, choice }, name) =>
    pickOf(deployment.routesOf(name).redis, choice),
  ),
  ...networkFaults('Postgres', ({ deployment }, name) => deployment.routesOf(name).postgres),

  'a replica is cut off an instance': {
    weight: 1,
    begin: ({ deployment, choice }) => {
      const instance = pickOf(deployment.instances, choice)
      const way = deployment.peerRoute(`${deployment.name}replica`, instance.name)
      return changed(way, { isCut: true, slowMs: 0, lossShare: 0 }, 'both')
    },
  },
  'a replica is stopped': peerStop(false),
  'the machine of a replica sleeps': peerStop(true),

  'a shard of Redis hangs': {
    weight: 4,
    begin: ({ world, choice }) => {
      const { master } = shardOf(world, choice)
      master.hang()
      return master.resume
    },
  },
  'Redis is killed, and keeps what is on its disk': {
    weight: 2,
    begin: ({ world, choice }) => killedRedis(world, choice, 'file'),
  },
  'Redis is killed, and starts empty': {
    weight: 2,
    begin: ({ world, choice }) => killedRedis(world, choice, 'nothing'),
  },
  'Redis goes back to an old file': {
    weight: 2,
    begin: ({ world, choice }) => {
      const shard = shardOf(world, choice)
      shard.master.follower.isLinked = false
      return () => {
        if (!shard.master.isUp) return
        shard.kill()
        shard.restart('file')
        shard.master.follower.isLinked = true
        world.checker.noteLoss()
      }
    },
  },
  'Redis is emptied': {
    weight: 2,
    begin: ({ world, choice }) => {
      shardOf(world, choice).flush()
      world.checker.noteLoss()
      return nothing
    },
  },
  'Redis fails over': {
    weight: 3,
    isFor: isReplicated,
    begin: ({ world, choice }) => {
      failOver(world, shardOf(world, choice), choice < 0.4)
      return nothing
    },
  },
  'Redis fails over to a replica that lags': {
    weight: 3,
    isFor: isReplicated,
    begin: ({ world, choice }) => {
      const shard = shardOf(world, choice)
      shard.master.follower.isLinked = false
      return () => {
        failOver(world, shard, choice < 0.4)
      }
    },
  },
  'Redis fails over behind one address': {
    weight: 2,
    isFor: (world) => !isReplicated(world),
    begin: ({ world, choice }) => {
      failOver(world, shardOf(world, choice), true)
      // A peer that writes nothing is never told that it asks a replica.
      world.isMgetStranded = true
      return nothing
    },
  },
  'Redis hangs, and its replica takes its place': {
    weight: 2,
    isFor: isReplicated,
    begin: ({ world, choice }) => {
      const shard = shardOf(world, choice)
      const { master } = shard
      master.hang()
      world.time.at(world.time.nowMs + 1500 + choice * 1000, () => {
        if (master.isHung) failOver(world, shard, false)
      })
      return master.resume
    },
  },
  'Redis is full': refusal("OOM command not allowed when used memory > 'maxmemory'."),
  'Redis cannot write its file': refusal('MISCONF Errors writing to the AOF file: No space left on device'),
  'Redis has become a replica': refusal("READONLY You can't write against a read only replica."),
  'Redis lets this user do nothing': {
    weight: 1,
    begin: ({ world, choice }) => {
      const { master } = shardOf(world, choice)
      master.refusal = 'NOPERM this user has no permissions to run the command'
      return () => {
        master.refusal = null
      }
    },
  },
  'Redis evicts': {
    weight: 1,
    begin: ({ world, random, choice, durationMs }) => {
      const shard = shardOf(world, choice)
      const { time } = world
      const unseenMs = choice * durationMs
      // Once it is seen, watermarks fall, and it may evict what it likes.
      excuseFor(world, unseenMs + (world.settings.leaseSeconds + 1) * 1000)
      world.checker.mayRepair = true
      for (let ms = 50; ms < durationMs; ms += 50)
        time.at(time.nowMs + ms, () => {
          const keys = [...shard.master.data.strings.keys()]
          if (keys.length > 0) shard.master.drop(random.pick(keys))
        })
      // It is looked at once a minute, and on every connection.
      time.at(time.nowMs + unseenMs, () => {
        world.redisUnfit = 'Redis may evict denials'
      })
      return () => {
        world.redisUnfit = null
        excuseUntilSwept(world, 0)
        world.checker.noteLoss()
      }
    },
  },
  'denials are deleted by hand': {
    weight: 1,
    begin: ({ world, random, durationMs }) => {
      excuseUntilSwept(world, durationMs)
      for (const { master } of world.redis.shards)
        for (const key of [...master.data.strings.keys()])
          if (/-/.test(key) && !key.includes('instance') && random.chance(0.5)) master.drop(key)
      world.checker.noteLoss()
      return nothing
    },
  },
  'the clock of Redis is set forward': {
    weight: 1,
    begin: ({ world, choice, durationMs }) => {
      const { master } = shardOf(world, choice)
      excuseFor(world, durationMs + (world.settings.leaseSeconds + 2) * 1000)
      // What ends too early there, by less than a jump that is noticed, the sweep writes again.
      world.checker.mayRepair = true
      const aheadMs = choice * 4 * world.settings.leewaySeconds * 1000
      master.aheadMs += aheadMs
      world.checker.noteLoss()
      return nothing
    },
  },

  'Postgres hangs': {
    weight: 3,
    begin: ({ deployment: { postgres } }) => {
      postgres.hang()
      return postgres.resume
    },
  },
  'Postgres is killed': {
    weight: 3,
    begin: ({ world, deployment }) => killedPostgres(world, deployment, 0),
  },
  'Postgres fails over, and loses its last second': {
    weight: 2,
    begin: ({ world, deployment, choice }) => killedPostgres(world, deployment, 100 + choice * 1500),
  },
  'Postgres is set back to an older copy': {
    weight: 1,
    begin: ({ world, deployment, choice }) => killedPostgres(world, deployment, 2000 + choice * 15_000),
  },
  'Postgres is slow to commit': {
    weight: 3,
    begin: ({ deployment: { postgres }, choice }) => {
      postgres.commitMs = 100 + choice * 2500
      return () => {
        postgres.commitMs = 0
        postgres.hurry()
      }
    },
  },
  'Postgres is a standby': {
    weight: 1,
    begin: ({ deployment: { postgres } }) => {
      postgres.isInRecovery = true
      return () => {
        postgres.isInRecovery = false
      }
    },
  },
  'the clock of Postgres is set': {
    weight: 2,
    begin: ({ world, deployment: { postgres }, choice }) => {
      // Back by as much as the documents allow in a failover, or forward: no two clocks are apart by more than LEEWAY.
      const mostMs = world.settings.leewaySeconds * 1000 - 2 * world.settings.clocksApartMs
      const byMs = choice < 0.6 ? -choice * 13_000 : (choice - 0.6) * 2.5 * mostMs
      excuseOthers(world, byMs)
      postgres.aheadMs += byMs
      return nothing
    },
  },
  'the journal is locked': {
    weight: 2,
    begin: ({ deployment: { postgres } }) => {
      postgres.isRevocationsLocked = true
      return () => {
        postgres.isRevocationsLocked = false
      }
    },
  },
  'an operator disables a user as a shard hangs': {
    weight: 2,
    begin: ({ world, choice, random }) => {
      const { master } = shardOf(world, choice)
      world.disableSomebody?.()
      const { time } = world
      const hanging = time.at(time.nowMs + random.between(0, 600), master.hang)
      return () => {
        hanging.isCancelled = true
        master.resume()
      }
    },
  },

  'an instance is killed': { weight: 3, begin: (act) => restarted(act, {}) },
  'an instance is restarted with another ACCESS_TOKEN_TTL': {
    weight: 2,
    begin: (act) => restarted(act, { accessTtlSeconds: act.choice < 0.5 ? 10 : 90 }),
  },
  'an instance is stopped': stopped(false),
  'the machine of an instance sleeps': stopped(true),
  'the clock of an instance is set': {
    weight: 1,
    begin: ({ world, deployment, choice }) => {
      const { host } = pickOf(deployment.instances, choice)
      host.setClock((choice * 2 - 1) * world.settings.clocksApartMs)
      return nothing
    },
  },
}

function shardOf(world: World, choice: number): Shard {
  return pickOf(world.redis.shards, choice)
}

function isReplicated({ settings }: World): boolean {
  return settings.shape !== 'standalone'
}

function failOver(world: World, shard: Shard, isSilent: boolean): void {
  if (!shard.master.isUp) return
  shard.failOver(isSilent)
  world.checker.noteLoss()
}

function killedRedis(world: World, choice: number, holding: 'file' | 'nothing'): () => void {
  const shard = shardOf(world, choice)
  const { master } = shard
  if (!master.isUp) return nothing
  shard.kill()
  return () => {
    if (shard.master !== master) return
    shard.restart(holding)
    world.checker.noteLoss()
  }
}

function refusal(text: string): Fault {
  return {
    weight: 1,
    begin: ({ world, choice }) => {
      const shard = shardOf(world, choice)
      const { master } = shard
      master.writeRefusal = text
      return () => {
        // One that has been replaced meanwhile is a replica, and stays one.
        if (shard.master === master && master.writeRefusal === text) master.writeRefusal = null
      }
    },
  }
}

function killedPostgres(world: World, { postgres, instances }: Deployment, lostMs: number): () => void {
  if (!postgres.isUp) return nothing
  postgres.down()
  if (lostMs > 0) {
    world.checker.mayRepair = true
    world.hasLostTail = true
  }
  return () => {
    postgres.up({ lostMs })
    for (const session of world.sessions)
      if (lostMs > 0 && session.rotates) session.mayBeOverSinceMs ??= world.time.nowMs
    world.trace.note(
      'postgres',
      `is up again, ${lostMs.toFixed(0)} ms are lost; ${instances.length} instances`,
    )
    world.checker.noteLoss()
  }
}

function restarted({ world, deployment, choice }: Act, settings: { accessTtlSeconds?: number }): () => void {
  const instance = pickOf(deployment.instances, choice)
  if (!instance.host.isAlive) return nothing
  kill(world, instance)
  return () => {
    deployment.start(instance.name, settings)
  }
}

function kill(world: World, instance: SimulatedInstance): void {
  instance.kill()
  world.checker.noteLoss()
}

function stopped(isAsleep: boolean): Fault {
  return {
    weight: isAsleep ? 1 : 4,
    begin: ({ deployment, choice }) => {
      const { host } = pickOf(deployment.instances, choice)
      if (host.isStopped) return nothing
      host.stop(isAsleep)
      return host.wake
    },
  }
}

function peerStop(isAsleep: boolean): Fault {
  return {
    weight: 1,
    begin: ({ deployment, choice }) => {
      const { host } = pickOf(deployment.peers, choice)
      if (host.isStopped) return nothing
      host.stop(isAsleep)
      return host.wake
    },
  }
}

/** A sweep begins every half a minute, and takes a few seconds here. */
const SWEPT_WITHIN_MS = 40_000

function excuseUntilSwept(world: World, durationMs: number): void {
  world.checker.mayRepair = true
  excuseFor(world, durationMs + SWEPT_WITHIN_MS)
}

function excuseFor(world: World, ms: number): void {
  world.checker.excuse({ fromMs: world.time.nowMs, untilMs: world.time.nowMs + ms })
}

/**
 * A clock that goes forward makes the journal's rows end early, as age would. One that goes back makes some live again
 * that Redis has let expire, which are written anew.
 */
function excuseOthers(world: World, byMs: number): void {
  if (byMs > 0) excuseFor(world, byMs)
  world.checker.mayRepair = true
}
