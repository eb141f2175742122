// The relay of the journal, a transactional outbox, to Redis: a tick each interval, and one when Redis comes back.
import type { Clock } from '../../clock.ts'
import type { DenylistConnection } from '../redis/connection/redis-connection.ts'
import type { RelayTick } from './relay-tick.ts'

/** A tick that takes long is followed by a rest, in which requests are answered; leases are renewed in time all the same. */
const MAX_REST_MS = 500
/** While Redis is being brought in line: until then every check asks Postgres. */
const HURRIED_INTERVAL_MS = 200

export interface RelayDeps {
  clock: Clock
  connection: Pick<DenylistConnection, 'onReady'>
  relayTick: RelayTick
  /** Milliseconds from one tick to the next. */
  intervalMs: number
  /** Hears why a tick failed, each time. */
  onFailure: (error: unknown) => void
}

export interface Relay {
  /** Resolves when the tick that is under way is over; there is no other. */
  stop(): Promise<void>
}

export function startRelay({ clock, connection, relayTick, intervalMs, onFailure }: RelayDeps): Relay {
  let cancel: () => void = () => undefined
  let running: Promise<void> = Promise.resolve()
  let isStopped = false
  let isWaiting = false

  connection.onReady(wake)
  wake()

  return {
    stop: async () => {
      isStopped = true
      await running
      cancel()
      await relayTick.leave().catch(onFailure)
    },
  }

  /** After the tick that is under way, and once only. */
  function wake(): void {
    cancel()
    if (isWaiting) return
    isWaiting = true
    running = running.then(next)
  }

  async function next(): Promise<void> {
    isWaiting = false
    if (isStopped) return
    const startedAt = clock.steadyMs()
    const isHurried = await relayTick.tick().catch((error: unknown) => {
      onFailure(error)
      return false
    })
    cancel()
    const tookMs = clock.steadyMs() - startedAt
    const restMs = isHurried
      ? Math.max(0, HURRIED_INTERVAL_MS - tookMs)
      : Math.max(intervalMs - tookMs, Math.min(tookMs, MAX_REST_MS))
    cancel = clock.after(restMs, wake)
  }
}
