// One instance of the service: the real use cases over the real denylist, relay, feed and mender, on simulated stores.
import { beginSession, type BegunSession } from '../../src/auth/sessions/begin-session.ts'
import { endSession, endAllSessions, type LogoutScope } from '../../src/auth/sessions/end-session.ts'
import { logoutEither } from '../../src/auth/sessions/logout-either.ts'
import type { Account } from '../../src/auth/ports/accounts.ts'
import type { Tokens } from '../../src/auth/ports/tokens.ts'
import { refresh, refreshRotating, type Refreshed } from '../../src/auth/sessions/refresh.ts'
import { revokeSession } from '../../src/auth/sessions/revoke-session.ts'
import { authenticate, verifyAccess } from '../../src/auth/tokens/verify-access.ts'
import { verifyRefreshToEnd } from '../../src/auth/tokens/verify-to-end.ts'
import { feedReaders, type FeedReaders } from '../../src/http/peers/feed-readers.ts'
import type { Metrics } from '../../src/ops/metrics.ts'
import type { FilledFeed } from '../../src/store/feed/denial-feed.ts'
import type { HeldDenials } from '../../src/store/feed/held-denials.ts'
import { openDenials, type Denials } from '../../src/store/open-denials.ts'
import { WAIT_MS } from '../../src/store/redis/announcements.ts'
import { COMMAND_TIMEOUT_MS } from '../../src/store/redis/connection/redis-connection.ts'
import { failureLog } from '../../src/store/relay/failure-log.ts'
import { simulatedJournalReader } from './postgres/simulated-journal-reader.ts'
import { simulatedPorts, type SimulatedPorts } from './postgres/simulated-ports.ts'
import type { SimulatedPostgres } from './postgres/simulated-postgres.ts'
import { simulatedConnection, type SimulatedConnection } from './redis/simulated-connection.ts'
import { SIMULATED_PARTITIONS } from './settings.ts'
import type { SimulatedHost } from './simulated-host.ts'
import { WORLD_BEGAN_AT } from './simulated-host.ts'
import { simulatedTokens } from './simulated-tokens.ts'
import type { Deployment, World } from './world.ts'

/** A place where an instance runs: after a restart another process takes it. */
export interface InstanceSettings {
  accessTtlSeconds: number
}

export interface SimulatedInstance {
  readonly name: string
  readonly host: SimulatedHost
  readonly denials: Denials
  readonly readers: FeedReaders
  readonly ports: SimulatedPorts
  readonly tokens: Tokens
  readonly startedAtMs: number
  /** Whether the memory of this process holds that denial, as one that was acknowledged. */
  holds: (id: string) => boolean
  login: (account: Account, rotates: boolean) => Promise<BegunSession | null>
  refresh: (token: string) => Promise<Refreshed>
  rotate: (token: string) => Promise<Refreshed & { refresh: { token: string } }>
  logout: (refreshToken: string) => Promise<void>
  logoutEither: (input: {
    accessToken: string | null
    refreshToken: string | null
    scope: LogoutScope
  }) => Promise<void>
  logoutAll: (refreshToken: string) => Promise<void>
  revoke: (accessToken: string, sessionId: string) => Promise<void>
  check: (accessToken: string) => Promise<void>
  kill: () => void
}

const ORIGIN = {
  ipAddress: '::1',
  userAgent: null,
  isWaiting: () => true,
  isInTime: () => true,
  noteProgress: () => undefined,
}

export function simulatedInstance(
  world: World,
  deployment: Deployment,
  { host, settings }: { host: SimulatedHost; settings: InstanceSettings },
): SimulatedInstance {
  const { time, random } = world
  const { leaseSeconds, leewaySeconds, refreshTtlSeconds, graceSeconds } = world.settings
  // As `config.ts` has it.
  const denialLeewaySeconds = 2 * leewaySeconds
  const { clock } = host
  const routes = deployment.routesOf(host.name)
  const instanceId = world.randomId()
  const client = { host, route: routes.postgres }
  const postgres: SimulatedPostgres = deployment.postgres
  const ports = simulatedPorts({
    postgres,
    client,
    instanceId,
    leewaySeconds: denialLeewaySeconds,
    onLacking: world.checker.lacked,
  })
  const log = world.trace.logOf(host)
  const metrics = metricsOf(world)
  const connect = (commandTimeoutMs: number): SimulatedConnection =>
    simulatedConnection({ time, host, redis: world.redis, routes: routes.redis, commandTimeoutMs })
  const checks = connect(COMMAND_TIMEOUT_MS)
  const announcements = connect(WAIT_MS + COMMAND_TIMEOUT_MS)
  const denials = openDenials({
    clock,
    instanceId,
    randomId: world.randomId,
    issuer: deployment.issuer,
    partitions: SIMULATED_PARTITIONS,
    leaseSeconds,
    leewaySeconds,
    accessAgeSeconds: settings.accessTtlSeconds,
    redis: {
      checks,
      announcements,
      guard: { unfit: () => world.redisUnfit },
      failures: failureLog(log, () => clock.steadyMs()),
    },
    journal: simulatedJournalReader(postgres, client),
    mender: ports.mender,
    locks: ports.locks,
    instances: ports.instances,
    isProduction: true,
    log,
    metrics,
  })
  const readers = feedReaders({
    feed: denials.feed,
    metrics,
    clock,
    originMs: WORLD_BEGAN_AT + time.nowMs + host.aheadMs,
    yieldToOthers: async () => {
      await new Promise<void>((resolve) => {
        time.settle(3)
        time.at(time.nowMs, () => {
          host.deliver(resolve)
        })
      })
      time.settle(3)
    },
    random: () => random.next(),
  })
  const tokens = simulatedTokens({
    book: deployment.book,
    clock,
    issuer: deployment.issuer,
    accessTtlSeconds: settings.accessTtlSeconds,
    refreshTtlSeconds,
    leewaySeconds,
  })
  const deps = {
    sessions: ports.sessions,
    journal: ports.journal,
    denylist: denials.denylist,
    tokens,
    now: () => Math.floor(clock.epochMs() / 1000),
    nowMs: () => clock.epochMs(),
    leewaySeconds: denialLeewaySeconds,
    refreshTtlSeconds,
    rotationGraceSeconds: graceSeconds,
    sessionMaxAgeSeconds: 100_000,
    maxSessionsPerUser: 10_000,
    newSessionId: world.newSessionId,
  }
  const held = denials.feed as FilledFeed

  return {
    name: host.name,
    host,
    denials,
    readers,
    ports,
    tokens,
    startedAtMs: time.nowMs,
    holds: (id) => held.isHeld(id) && held.held.some((denials) => isAcknowledgedIn(denials, id)),
    login: async (account, rotates) => await beginSession(deps, { account, rotates, caller: ORIGIN }),
    refresh: async (token) => await refresh(deps, { token, caller: ORIGIN }),
    rotate: async (token) => await refreshRotating(deps, { token, caller: ORIGIN }),
    logout: async (token) => {
      await endSession(deps, { claims: verifyRefreshToEnd(tokens, token), caller: ORIGIN })
    },
    logoutEither: async (input) => {
      await logoutEither(deps, { ...input, caller: ORIGIN })
    },
    logoutAll: async (token) => {
      await endAllSessions(deps, { claims: verifyRefreshToEnd(tokens, token), caller: ORIGIN })
    },
    revoke: async (accessToken, sessionId) => {
      await authenticate(deps, accessToken)
      await revokeSession(deps, { claims: verifyAccess(tokens, accessToken), sessionId, caller: ORIGIN })
    },
    check: async (accessToken) => {
      await authenticate(deps, accessToken)
    },
    kill: () => {
      host.kill()
      checks.close()
      announcements.close()
      readers.close()
    },
  }
}

function metricsOf(world: World): Metrics {
  const ignore = (): void => undefined
  const metrics: Partial<Metrics> = {
    denylistTrusted: ignore,
    denylistLag: ignore,
    relaying: ignore,
    denialNotWritten: ignore,
    clockOffset: ignore,
    feedHolds: ignore,
    feedReaders: ignore,
    feedReaderCut: ignore,
    denylistRepaired: ({ from, to, denials }) => {
      world.checker.repaired({ from, to, denials })
    },
  }
  return metrics as Metrics
}

function isAcknowledgedIn(denials: HeldDenials, id: string): boolean {
  for (let index = denials.begin; index < denials.end; index += 1) {
    const denial = denials.at(index)
    if (denial.id === id && denial.isAcknowledged) return true
  }
  return false
}
