// Two peers of the simulated world: a real replica that is fed by any instance, and a peer that asks Redis with one MGET.
import { denialKey, partitionOf, tokenId, watermarkKey } from '../../src/contract/denylist-keys.ts'
import type { AccessClaims } from '../../src/contract/claims.ts'
import type { Denylist, Verdict } from '../../src/peer/denylist.ts'
import { openFeed } from '../../src/peer/feed/feed.ts'
import type { FetchInit, FetchResponse } from '../../src/peer/fetch.ts'
import { COMMAND_TIMEOUT_MS } from '../../src/store/redis/connection/redis-connection.ts'
import { every, sleep } from '../../src/clock.ts'
import { simulatedConnection } from './redis/simulated-connection.ts'
import type { SimulatedHost } from './simulated-host.ts'
import type { SimulatedInstance } from './simulated-instance.ts'
import type { Deployment, World } from './world.ts'

export interface SimulatedPeer {
  readonly name: string
  readonly host: SimulatedHost
  check: (token: string, claims: AccessClaims) => Promise<Verdict | 'expired'>
  /** Whether a token would be answered for now. */
  isKnown: () => Promise<boolean>
}

export function replicaPeer(world: World, deployment: Deployment, host: SimulatedHost): SimulatedPeer {
  const { clock } = host
  const { leewaySeconds } = world.settings
  const now = (): number => clock.epochMs() / 1000
  const denylist: Denylist = openFeed(
    {
      issuer: deployment.issuer,
      onUnknown: 'deny',
      fetch: async (_url, init) => await simulatedFetch(world, deployment, { host, init }),
      now,
      onError: (error) => {
        world.trace.note(host.name, `feed: ${messageOf(error)}`)
      },
    },
    { url: new URL('https://signoff/denylist/feed'), authorization: '' },
    {
      moment: () => ({ monotonicMs: clock.steadyMs(), epochMs: clock.epochMs() }),
      repeat: (ms, work) => every(clock, ms, work),
      pause: async (ms, signal) => {
        await sleep(clock, ms, signal)
      },
      random: () => world.random.next(),
    },
  )
  return {
    name: host.name,
    host,
    check: async (token, claims) => {
      if (claims.exp + leewaySeconds <= now()) return 'expired'
      return await denylist.check({ token, claims, tokenId: tokenId(claims.sid, claims.jti) })
    },
    isKnown: () => Promise.resolve(denylist.freshness().isKnown),
  }
}

function messageOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}

interface Fetching {
  host: SimulatedHost
  init: FetchInit
}

/** To whichever instance the load balancer picks; it knows of those that are dead. */
async function simulatedFetch(
  world: World,
  deployment: Deployment,
  { host, init }: Fetching,
): Promise<FetchResponse> {
  const { time, random } = world
  const instances = deployment.instances.filter((instance) => instance.host.isAlive)
  if (instances.length === 0) throw new Error('nobody is there')
  const instance = random.pick(instances)
  const route = deployment.peerRoute(host.name, instance.name)
  const { signal } = init
  return await new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => {
      reject(new Error('aborted'))
    })
    let isCut = false
    const back = (work: () => void): void => {
      const arrivesAt = route.back.arrivalMs()
      // What comes behind something that is lost does not arrive either: it is one stream.
      isCut ||= arrivesAt === null
      if (arrivesAt === null || isCut) return
      time.at(arrivesAt, () => {
        host.deliver(work)
      })
    }
    const there = route.there.arrivalMs()
    if (there === null) return
    time.at(there, () => {
      if (!instance.host.isAlive) {
        back(() => {
          reject(new Error('connection refused'))
        })
        return
      }
      instance.host.deliver(() => {
        serve({ world, instance, init, back }, resolve)
      })
    })
  })
}

interface Serving {
  world: World
  instance: SimulatedInstance
  init: FetchInit
  back: (work: () => void) => void
}

function serve({ world, instance, init, back }: Serving, resolve: (response: FetchResponse) => void): void {
  const { time } = world
  const headers = new Map([['content-type', 'text/event-stream']])
  const answer = (status: number, body: FetchResponse['body']): void => {
    back(() => {
      resolve({ status, headers: { get: (name) => headers.get(name) ?? null }, body })
    })
  }
  try {
    const lastEventId = init.headers?.['last-event-id'] ?? ''
    const arrivedAt = instance.host.clock.steadyMs()
    const stream = instance.readers.open({ clientId: 'peer', arrivedAt, lastEventId })
    const pipe = bodyPipe()
    const { signal } = init
    stream.on('data', (chunk: Buffer) => {
      time.settle(3)
      back(() => {
        pipe.push(chunk)
      })
    })
    stream.on('end', () => {
      back(pipe.end)
    })
    stream.on('error', () => {
      back(pipe.end)
    })
    signal?.addEventListener('abort', () => {
      pipe.fail()
      instance.host.deliver(() => stream.destroy())
    })
    instance.host.onEnd(() => {
      back(pipe.fail)
    })
    time.settle(4)
    answer(200, pipe.body)
  } catch {
    headers.set('retry-after', '1')
    answer(503, null)
  }
}

/** As much of a `ReadableStream` as a reader of it uses. */
function bodyPipe() {
  const chunks: Buffer[] = []
  let isOver = false
  let failure: Error | null = null
  let wake: (() => void) | null = null
  const changed = (): void => {
    wake?.()
    wake = null
  }
  const read = async (): Promise<{ done: boolean; value?: Buffer }> => {
    for (;;) {
      const value = chunks.shift()
      if (value) return { done: false, value }
      if (failure) throw failure
      if (isOver) return { done: true }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return {
    body: { getReader: () => ({ read }) } as unknown as ReadableStream<Uint8Array>,
    push: (chunk: Buffer) => {
      chunks.push(chunk)
      changed()
    },
    end: () => {
      isOver = true
      changed()
    },
    fail: () => {
      failure = new Error('the connection was reset')
      changed()
    },
  }
}

export function mgetPeer(world: World, deployment: Deployment, host: SimulatedHost): SimulatedPeer {
  const { commands } = simulatedConnection({
    time: world.time,
    host,
    redis: world.redis,
    routes: deployment.routesOf(host.name).redis,
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
  })
  const { leewaySeconds } = world.settings
  return {
    name: host.name,
    host,
    check: async (_token, { sid, jti, exp }) => {
      if (exp + leewaySeconds <= host.clock.epochMs() / 1000) return 'expired'
      try {
        const keys = [watermarkKey(partitionOf(sid)), denialKey(sid), denialKey(tokenId(sid, jti))]
        const [watermark = null, ...denials] = await commands.mget(keys)
        if (denials.some((denial) => denial !== null)) return 'denied'
        return watermark === null ? 'unknown' : 'live'
      } catch {
        return 'unknown'
      }
    },
    isKnown: async () => {
      const answers = await Promise.all(
        ['00', '01', '02', '03'].map(
          async (partition) => await commands.mget([watermarkKey(partition)]).catch(() => [null]),
        ),
      )
      return answers.every(([watermark]) => watermark !== null)
    },
  }
}
