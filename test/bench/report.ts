// The results as tables for people.
import type { CoreShares } from './cpu.ts'
import type { CostResult } from './cost.ts'
import type { DayResult, DaySample } from './day.ts'
import type { FeedResult } from './feed.ts'
import type { GuessesResult } from './guesses.ts'
import type { IdleResult } from './idle.ts'
import type { KeysResult } from './keys.ts'
import type { LoadResult } from './load.ts'
import { manySessionsTable, type ManySessionsResult } from './many-sessions.ts'
import type { Delays, PropagationResult } from './propagation.ts'
import type { RebuildResult } from './rebuild.ts'
import type { RefreshTimes } from './refresh-times.ts'
import type { StormResult } from './storm.ts'
import type { SweepResult } from './sweep.ts'
import type { TimingResult } from './timing.ts'
import { percent, table } from './table.ts'
import type { VerifyResult } from './verify.ts'

export interface Results {
  machine: {
    cores: number
    cpu: string
    node: string
    /** Of the minute before: what else ran here, and made these figures worse than they are. */
    loadAverage: number
  }
  verify?: VerifyResult[]
  idle?: IdleResult
  load?: LoadResult[]
  cost?: CostResult[]
  storm?: StormResult[]
  guesses?: GuessesResult
  timing?: TimingResult
  propagation?: PropagationResult
  feed?: FeedResult[]
  rebuild?: RebuildResult
  manySessions?: ManySessionsResult
  sweep?: SweepResult
  keys?: KeysResult[]
  day?: DayResult
}

export function report(results: Results): string {
  const { machine } = results
  const parts = [
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load average before ${machine.loadAverage.toFixed(2)}`,
    ...tablesOf(results.verify, verifyTable),
    ...tablesOf(results.idle, idleTable),
    ...tablesOf(results.load, loadTable),
    ...tablesOf(results.cost, costTable),
    ...tablesOf(results.storm, stormTable),
    ...tablesOf(results.guesses, guessesTable),
    ...tablesOf(results.timing, timingTable),
    ...tablesOf(results.propagation, propagationTable),
    ...tablesOf(results.feed, feedTable),
    ...tablesOf(results.rebuild, rebuildTable, rebuildRefreshesTable),
    ...tablesOf(results.manySessions, manySessionsTable),
    ...tablesOf(results.sweep, sweepTable),
    ...tablesOf(results.keys, keysTable),
    ...tablesOf(results.day, dayTable),
  ]
  return `${parts.join('\n\n')}\n`
}

/** None of what was not measured. */
function tablesOf<Result>(result: Result | undefined, ...tables: ((result: Result) => string)[]): string[] {
  return result === undefined ? [] : tables.map((table) => table(result))
}

function verifyTable(results: VerifyResult[]): string {
  return table(
    'A check of a peer with a replica (CPU)',
    ['', 'denylist ns', 'new token µs', 'known token µs', 'bytes a denial'],
    results.map(({ denials, checkNs, coldUs, warmUs, bytesPerDenial }) => [
      `${denials} denials`,
      checkNs.toFixed(0),
      coldUs.toFixed(0),
      warmUs.toFixed(1),
      bytesPerDenial?.toFixed(0) ?? '-',
    ]),
  )
}

function loadTable(results: LoadResult[]): string {
  return table(
    'Load (CPU in µs a request)',
    [
      '',
      'connections',
      'requests/s',
      'p50 ms',
      'p99 ms',
      'server',
      'Postgres',
      'Redis',
      'not 2xx',
      'client busy',
    ],
    results.map(({ cpu, ...result }) => [
      result.request,
      String(result.connections),
      result.perSecond.toFixed(0),
      result.p50Ms.toFixed(2),
      result.p99Ms.toFixed(2),
      cpu.server.toFixed(0),
      cpu.postgres?.toFixed(0) ?? '-',
      cpu.redis.toFixed(0),
      String(result.non2xx),
      percent(result.clientBusy),
    ]),
  )
}

function costTable(results: CostResult[]): string {
  return table(
    'Cost at 16 connections (CPU, in units of the echo)',
    ['', 'requests/s', 'service µs', 'service', 'with its stores', 'not 2xx'],
    results.map(({ request, perSecond, server, echoes, non2xx }) => [
      request,
      perSecond.toFixed(0),
      server.toFixed(0),
      echoes?.server.toFixed(2) ?? '1',
      echoes?.withStores.toFixed(2) ?? '1',
      String(non2xx),
    ]),
  )
}

function stormTable(results: StormResult[]): string {
  return table(
    'Refreshes during 200 logins (ms)',
    [
      '',
      'p50 at rest',
      'p99 at rest',
      'p50',
      'p99',
      'max',
      'p99 difference',
      'logins/s',
      'login p99',
      'answers',
    ],
    results.map(({ storm, rest, during, p99DifferenceMs, logins }) => [
      storm,
      ...[rest.p50Ms, rest.p99Ms, during.p50Ms, during.p99Ms, during.maxMs, p99DifferenceMs].map((ms) =>
        ms.toFixed(2),
      ),
      logins.perSecond.toFixed(0),
      logins.p99Ms.toFixed(0),
      `${statuses(during.statuses)}, logins ${statuses(logins.statuses)}`,
    ]),
  )
}

function guessesTable({ rest, during, newcomers, guesses }: GuessesResult): string {
  return table(
    'Newcomers while 40 addresses guess, 16 at a time each (ms)',
    ['newcomer p50', 'max', 'answers', 'refresh p99 at rest', 'p99', 'answers', 'guesses/s', 'answers'],
    [
      [
        newcomers.p50Ms.toFixed(0),
        newcomers.maxMs.toFixed(0),
        statuses(newcomers.statuses),
        rest.p99Ms.toFixed(2),
        during.p99Ms.toFixed(2),
        statuses(during.statuses),
        guesses.perSecond.toFixed(0),
        statuses(guesses.statuses),
      ],
    ],
  )
}

function timingTable({ medianMs, largestDifference }: TimingResult): string {
  return table(
    'Refused logins (median ms)',
    ['', ...Object.keys(medianMs), 'largest difference'],
    [['', ...Object.values(medianMs).map((ms) => ms.toFixed(2)), percent(largestDifference)]],
  )
}

function dayTable({ samples, growth, logins, logouts }: DayResult): string {
  const cells = (row: Omit<DaySample, 'seconds'>, show: (value: number) => string) =>
    [row.revocations, row.sessions, row.logs, row.tableBytes, row.redisKeys, row.redisBytes].map(show)
  const rows = samples.map(({ seconds, tableBytes, redisBytes, ...counts }) => [
    `${seconds.toFixed(0)} s`,
    ...cells({ ...counts, tableBytes: tableBytes / 1e6, redisBytes: redisBytes / 1e6 }, (value) =>
      Number.isInteger(value) ? String(value) : value.toFixed(1),
    ),
  ])
  return table(
    `A day in small (logins ${statuses(logins)}, logouts ${statuses(logouts)})`,
    ['', 'revocations', 'sessions', 'logs', 'tables MB', 'Redis keys', 'Redis MB'],
    [...rows, ['last quarter to the one before', ...cells(growth, percent)]],
  )
}

function propagationTable({ tries, instance, peer }: PropagationResult): string {
  const row = (name: string, { p50Ms, p99Ms, maxMs, atFirst }: Delays) => [
    name,
    ...[p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(2)),
    `${atFirst} of ${tries}`,
  ]
  return table(
    'From the answer of a logout to the refusal elsewhere, its round trip included (ms)',
    ['', 'p50', 'p99', 'max', 'at the first question'],
    [row('refresh at another instance', instance), row('MGET of a peer', peer)],
  )
}

function feedTable(results: FeedResult[]): string {
  return table(
    'From the answer to a logout until a replica knows (ms)',
    ['readers', 'p50', 'p99', 'max', 'refused at once', 'server CPU µs a logout'],
    results.map(({ readers, tries, p50Ms, p99Ms, maxMs, atFirst, cpuMicroseconds }) => [
      String(readers),
      ...[p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(2)),
      `${atFirst} of ${tries}`,
      cpuMicroseconds.toFixed(0),
    ]),
  )
}

function rebuildTable({ denials, secondsToReady, ...figures }: RebuildResult): string {
  return table(
    'Redis restarted empty',
    ['', 'live denials', 's to ready', 'worst PING ms', 'event loop p99 ms', 'max', 'Redis bytes a denial'],
    [
      [
        '',
        String(denials),
        secondsToReady.toFixed(1),
        figures.worstPingMs.toFixed(1),
        figures.eventLoop.p99Ms.toFixed(1),
        figures.eventLoop.maxMs.toFixed(1),
        figures.bytesPerDenial.toFixed(0),
      ],
    ],
  )
}

function rebuildRefreshesTable({ before, during }: RebuildResult): string {
  const row = (name: string, times: RefreshTimes) => [
    name,
    ...[times.p50Ms, times.p99Ms, times.maxMs].map((ms) => ms.toFixed(2)),
    statuses(times.statuses),
  ]
  return table(
    'Refreshes meanwhile (ms)',
    ['', 'p50', 'p99', 'max', 'answers'],
    [row('at rest', before), row('from the kill until ready', during)],
  )
}

function idleTable({ seconds, shares }: IdleResult): string {
  return table(
    'At rest (of one core)',
    ['', 'service', 'Postgres', 'Redis'],
    [[`${seconds.toFixed(0)} s`, ...shareCells(shares)]],
  )
}

function sweepTable(result: SweepResult): string {
  return table(
    'A sweep, with keys deleted by hand as it begins (CPU of one core)',
    ['', 'seconds', 'service', 'Postgres', 'Redis', 'deleted', 'repaired', 'counted', 'back'],
    [
      [
        `${result.denials} denials`,
        result.seconds.toFixed(0),
        ...shareCells(result.shares),
        ...[result.deleted, result.repaired, result.counted, result.back].map(String),
      ],
    ],
  )
}

function shareCells({ server, postgres, redis }: CoreShares): string[] {
  return [server, postgres, redis].map((share) => (share === null ? '-' : percent(share)))
}

function statuses(counts: Record<number, number>): string {
  return Object.entries(counts)
    .map(([status, count]) => `${status}: ${count}`)
    .join(' ')
}

function keysTable(results: KeysResult[]): string {
  return table(
    'Signing keys that change: answers about living tokens, and how many of them were 401',
    ['', 'rotations', 'seconds', 'asked', 'answers', '401'],
    results.flatMap(({ how, rotations, seconds, answers }) =>
      Object.entries(answers).map(([by, { all, refused }]) => [
        how,
        String(rotations),
        seconds.toFixed(0),
        by,
        String(all),
        String(refused),
      ]),
    ),
  )
}
