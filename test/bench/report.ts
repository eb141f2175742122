// The results as tables for people.
import type { LoadResult } from './load.ts'
import type { StormResult } from './storm.ts'
import type { TimingResult } from './timing.ts'

export interface Results {
  machine: {
    cores: number
    cpu: string
    node: string
    /** Of the minute before: what else ran here, and made these figures worse than they are. */
    loadAverage: number
  }
  load?: LoadResult[]
  storm?: StormResult[]
  timing?: TimingResult
}

export function report({ machine, load, storm, timing }: Results): string {
  const parts = [
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load average before ${machine.loadAverage.toFixed(2)}`,
  ]
  if (load) parts.push(loadTable(load))
  if (storm) parts.push(stormTable(storm))
  if (timing) parts.push(timingTable(timing))
  return `${parts.join('\n\n')}\n`
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

function timingTable({ medianMs, largestDifference }: TimingResult): string {
  return table(
    'Refused logins (median ms)',
    ['', ...Object.keys(medianMs), 'largest difference'],
    [['', ...Object.values(medianMs).map((ms) => ms.toFixed(2)), percent(largestDifference)]],
  )
}

function statuses(counts: Record<number, number>): string {
  return Object.entries(counts)
    .map(([status, count]) => `${status}: ${count}`)
    .join(' ')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function table(title: string, head: string[], rows: string[][]): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: string[]) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  return [title, line(head), ...rows.map(line)].join('\n')
}
