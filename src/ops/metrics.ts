// The Prometheus metrics: what an operator's dashboard and alerts are made of.
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client'
import { denylistMetrics, type DenylistMetrics } from './denylist-metrics.ts'
import { feedMetrics, type FeedMetrics } from './feed-metrics.ts'

export interface Metrics extends FeedMetrics, DenylistMetrics {
  logEntryFailed: () => void
  requestDone: (request: { method: string; route: string; status: number; seconds: number }) => void
  /** A connection was closed at once, since its address, or the process, has as many as it may have. */
  connectionRefused: (limit: 'address' | 'total') => void
  /** Counts that something happened of which a log entry tells. */
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
  const events = new Counter({
    name: 'signoff_events_total',
    help: 'Events that log entries tell of, by their type: logins, failed ones, logouts, reused refresh tokens …',
    labelNames: ['type'],
    registers,
  })
  const connectionsRefused = new Counter({
    name: 'signoff_connections_refused_total',
    help: 'Connections that were closed at once, by the limit that was reached: of their address, or of the process.',
    labelNames: ['limit'],
    registers,
  })
  for (const limit of ['address', 'total']) connectionsRefused.inc({ limit }, 0)
  const requests = new Histogram({
    name: 'signoff_http_request_duration_seconds',
    help: 'Time from the request head to the answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  })

  /** Found by one text, which is quicker than by three labels. There are as few as methods, routes and statuses make. */
  const ofKind = new Map<string, Histogram.Internal<'method' | 'route' | 'status'>>()

  return {
    logEntryFailed: () => {
      logEntryFailures.inc()
    },
    ...denylistMetrics(registers),
    ...feedMetrics(registers),
    requestDone: ({ method, route, status, seconds }) => {
      const kind = `${method} ${route} ${status}`
      let child = ofKind.get(kind)
      if (!child) {
        child = requests.labels({ method, route, status })
        ofKind.set(kind, child)
      }
      child.observe(seconds)
    },
    connectionRefused: (limit) => {
      connectionsRefused.inc({ limit })
    },
    eventHappened: (type) => {
      events.inc({ type })
    },
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}
