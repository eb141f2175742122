// The Prometheus metrics: what an operator's dashboard and alerts are made of.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { feedMetrics, type FeedMetrics } from './feed-metrics.ts'

export interface Metrics extends FeedMetrics {
  logEntryFailed: () => void
  denylistTrusted: (isTrusted: boolean) => void
  /** How far the partition of Redis that is furthest behind the journal is behind it. */
  denylistLag: (seconds: number) => void
  /** Whether this instance is the one that relays. */
  relaying: (isLeader: boolean) => void
  /** A denial could not be written to Redis; the journal has it. */
  denialNotWritten: () => void
  requestDone: (request: { method: string; route: string; status: number; seconds: number }) => void
  /** What a log entry tells of has happened. */
  eventHappened: (type: string) => void
  /** The text of `GET /metrics`, with its content type. */
  render: () => Promise<{ contentType: string; text: string }>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const logEntryFailures = new Counter({
    name: 'signoff_log_entry_failures_total',
    help: 'Log entries that could not be written; what they describe was done all the same.',
    registers,
  })
  const denylistTrusted = new Gauge({
    name: 'signoff_denylist_trusted',
    help: '1 while Redis is known to agree with the journal, 0 while Postgres is asked instead.',
    registers,
  })
  const denylistLag = new Gauge({
    name: 'signoff_denylist_lag_seconds',
    help: 'Seconds that the partition of Redis furthest behind the journal is behind it; a second or two is usual.',
    registers,
  })
  const relaying = new Gauge({
    name: 'signoff_relay_leader',
    help: '1 while this instance is the one that keeps Redis in line with the journal.',
    registers,
  })
  const denialsNotWritten = new Counter({
    name: 'signoff_denylist_write_failures_total',
    help: 'Denials that this instance could not write to Redis; they are in the journal, and relayed later.',
    registers,
  })
  const events = new Counter({
    name: 'signoff_events_total',
    help: 'What the log entries tell of, by their type: logins, failed ones, logouts, reused refresh tokens …',
    labelNames: ['type'],
    registers,
  })
  const requests = new Histogram({
    name: 'signoff_http_request_duration_seconds',
    help: 'Time from the request head to the answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  })

  return {
    logEntryFailed: () => {
      logEntryFailures.inc()
    },
    denylistTrusted: (isTrusted) => {
      denylistTrusted.set(isTrusted ? 1 : 0)
    },
    denylistLag: (seconds) => {
      denylistLag.set(seconds)
    },
    relaying: (isLeader) => {
      relaying.set(isLeader ? 1 : 0)
    },
    denialNotWritten: () => {
      denialsNotWritten.inc()
    },
    ...feedMetrics(registers),
    requestDone: ({ method, route, status, seconds }) => {
      requests.observe({ method, route, status }, seconds)
    },
    eventHappened: (type) => {
      events.inc({ type })
    },
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}
