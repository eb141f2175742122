// How long the refreshes of a job took, and what they were answered.
import type { Outcome } from './generator-protocol.ts'
import { percentile } from './percentiles.ts'

export interface RefreshTimes {
  p50Ms: number
  p99Ms: number
  maxMs: number
  statuses: Record<number, number>
}

export function refreshTimes({ latencies, statuses }: Outcome): RefreshTimes {
  return {
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    maxMs: percentile(latencies, 100),
    statuses,
  }
}
