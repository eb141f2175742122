// Opens the denylist over one Redis: the checks, the relay that keeps it in line with the journal, and what is told of both.
import { sleep, type Clock } from '../../clock.ts'
import type { Denylist } from '../../auth/ports/denials.ts'
import type { SystemLog } from '../../ops/log.ts'
import type { Metrics } from '../../ops/metrics.ts'
import type { Instances } from '../postgres/instances.ts'
import type { JournalReader } from '../postgres/journal-reader.ts'
import type { Locks } from '../postgres/locks.ts'
import type { DenylistConnection } from '../redis/connection/redis-connection.ts'
import type { Pace } from '../pace.ts'
import { cleanAcks } from '../vouching/clean-acks.ts'
import { requiredUpTo } from '../vouching/required-up-to.ts'
import { instanceAcks } from '../redis/instance-acks.ts'
import { redisFailure } from '../redis/redis-failure.ts'
import { redisDenylist } from '../redis/redis-denylist.ts'
import { redisWatermarks } from '../redis/watermarks.ts'
import { clockOffsets, type ClockOffsets } from './clock-offsets.ts'
import type { FailureLog } from './failure-log.ts'
import type { JournalView } from './journal-view.ts'
import { leadership } from './leadership.ts'
import { leaderLock } from './leader-lock.ts'
import { OTHER_DEPLOYMENT, otherDeployment } from './other-deployment.ts'
import { ownPositions } from './own-positions.ts'
import type { RoundProgress } from './relay-round.ts'
import { relayTick, type TickFindings } from './relay-tick.ts'
import { startRelay } from './relay.ts'
import { settingsReport, type SettingsReport } from './settings-report.ts'
import { noteSwept } from './swept-note.ts'
import { sweep, type Repaired } from './sweep.ts'
import { trustReport, type TrustReport } from './trust-report.ts'

const OUT_OF_LINE = 'not in sync with the journal, which is asked instead'
const UNKNOWN_TO_OTHERS =
  'in sync, but Postgres has not told the others of this instance: a logout that Redis does not take is answered 503'
const CLOSE_PATIENCE_MS = 2000

export interface RedisParts {
  /** For checks and the relay. */
  checks: DenylistConnection
  /** For the announcements alone: others would wait behind its waiting. */
  announcements: DenylistConnection
  /** Whether Redis is fit for a denylist, as one sentence that says what to do; `null` when it is. */
  guard: { unfit(): string | null }
  failures: FailureLog
}

export interface DenylistOptions extends Pace {
  clock: Clock
  partitions: readonly string[]
  redis: RedisParts
  view: JournalView
  /** Whether this instance has acknowledged or heard that this id is denied. */
  isHeld: (id: string) => boolean
  leaseSeconds: number
  leewaySeconds: number
  /** Then a Redis that may forget is not believed. */
  isProduction: boolean
  instanceId: string
  randomId: () => string
  journal: JournalReader
  locks: Locks
  instances: Instances
  log: SystemLog
  metrics: Metrics
}

export interface OpenDenylist {
  denylist: Denylist
  readiness(): Record<string, string>
  /** The names of the settings in which the instances differ. */
  differingSettings: () => readonly string[]
  close(): Promise<void>
}

export function openDenylist(options: DenylistOptions): OpenDenylist {
  const { clock, partitions, view, isHeld, isProduction, instanceId, leewaySeconds, log, metrics } = options
  const { checks: connection, guard, failures } = options.redis
  const onFailure = (error: unknown): void => {
    // Of a connection that ended, it tells itself; but an answer may have ended it.
    if (connection.isReady || redisFailure(error).kind !== 'no-answer') failures.note(error)
  }
  const required = requiredUpTo(clock)
  const denylist = redisDenylist({
    connection,
    clock,
    required,
    isHeld,
    believes: view.believesWatermark,
    journalName: () => view.journalName,
    onWriteFailure: (error) => {
      metrics.denialNotWritten()
      onFailure(error)
      trust.lose()
    },
  })
  const trust = trustReport({ ...options, required })
  connection.onLoss(trust.lose)

  const own = ownPositions(connection)
  const watermarks = redisWatermarks({ connection, partitions, nonce: options.randomId() })
  const acks = instanceAcks(connection, instanceId)
  const others = otherDeployment({ clock, connection, own, view })
  const offsets = clockOffsets({ clock, leewaySeconds, log, metrics })
  const settings = settingsReport(clock, log)
  const tick = relayTick({
    ...options,
    denylist,
    required,
    watermarks,
    otherDeployment: others,
    acks: cleanAcks({ connection, required, acks }),
    leadership: leadership({
      ...options,
      watermarks,
      acks,
      own,
      otherDeployment: others,
      leaseMs: options.leaseSeconds * 1000,
      lock: leaderLock(options.locks, clock),
      sweep: sweep({
        ...options,
        watermarks,
        own,
        onRepaired: repairLog(log, metrics),
        onSwept: (swept) => {
          noteSwept(connection, swept).catch(onFailure)
        },
      }),
      // Without a watermark nobody believes it.
      mayRelay: () => !(isProduction && guard.unfit() !== null),
      onRound: rebuildLog(log, clock),
      onFailure,
    }),
    onTick: (found) => {
      note({ trust, offsets, settings }, found)
    },
    onFailure,
  })
  const relay = startRelay({ clock, connection, relayTick: tick, intervalMs: options.intervalMs, onFailure })

  function denylistReadiness(): string {
    if (others.isSeen()) return OTHER_DEPLOYMENT
    if (!trust.isTrusted()) return OUT_OF_LINE
    return denylist.isRegistered ? 'ok' : UNKNOWN_TO_OTHERS
  }

  return {
    denylist,
    readiness: () => ({
      redis: redisReadiness(options.redis),
      denylist: denylistReadiness(),
      clock: offsets.problem() ?? 'ok',
    }),
    differingSettings: settings.differing,
    close: async () => {
      // A long round is not waited for: without a connection it comes to an end.
      await Promise.race([relay.stop(), sleep(clock, CLOSE_PATIENCE_MS)])
    },
  }
}

interface Reports {
  trust: TrustReport
  offsets: ClockOffsets
  settings: SettingsReport
}

function note({ trust, offsets, settings }: Reports, found: TickFindings): void {
  trust.note(found)
  noteOffsets(offsets, found)
  if (found.postgres) settings.note(found.postgres.listed)
}

function noteOffsets(offsets: ClockOffsets, found: TickFindings): void {
  const { states, redisReadAtEpochMs, redisRoundTripMs, postgres } = found
  if (postgres) offsets.note('Postgres', { ...postgres, nowMs: postgres.clock.nowMs })
  const [first] = states
  if (!first) return
  const read = { readAtEpochMs: redisReadAtEpochMs, roundTripMs: redisRoundTripMs }
  offsets.note('Redis', { ...read, nowMs: first.redisNowMs })
}

function redisReadiness({ checks, guard, failures }: RedisParts): string {
  const failure = failures.standing()
  if (checks.isReady) return guard.unfit() ?? failure?.sentence ?? 'ok'
  return failure && failure.kind !== 'no-answer' ? failure.sentence : 'not connected'
}

/** A repair is a defect that somebody should see: in health there is none. */
function repairLog(log: SystemLog, metrics: Pick<Metrics, 'denylistRepaired'>) {
  return ({ partition, denials, oldestAgeSeconds }: Repaired): void => {
    metrics.denylistRepaired({ from: 'journal', to: 'redis', denials })
    log.error(
      { partition, denials, oldestAgeSeconds },
      'denials were missing in Redis under a watermark, and are written now: were keys deleted or evicted?',
    )
  }
}

/** Rounds of this many denials are worth a line. */
const MANY = 1000
const PROGRESS_EVERY_MS = 1000

/** Progress of a round that takes long, and its end. */
function rebuildLog(log: SystemLog, clock: Clock) {
  let toldAt = clock.steadyMs()
  return ({ written, seconds, isOver }: RoundProgress): void => {
    const now = clock.steadyMs()
    if (written < MANY || seconds * 1000 < PROGRESS_EVERY_MS || (!isOver && now - toldAt < PROGRESS_EVERY_MS))
      return
    toldAt = now
    const said = isOver
      ? 'denials were written to Redis from the journal'
      : 'writing denials to Redis from the journal'
    log.info({ written, seconds: Math.round(seconds * 10) / 10 }, said)
  }
}
