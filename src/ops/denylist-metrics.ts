// The metrics of the denylist: whether Redis is believed, how far it is behind, and what had to be repaired.
import { Counter, Gauge, type Registry } from 'prom-client'

export interface DenylistMetrics {
  denylistTrusted: (isTrusted: boolean) => void
  /** How far the partition of Redis that is furthest behind the journal is behind it. */
  denylistLag: (seconds: number) => void
  /** Whether this instance is the one that relays. */
  relaying: (isLeader: boolean) => void
  /** A denial could not be written to Redis; the journal has it. */
  denialNotWritten: () => void
  /** Denials that one witness had and another should have had: they are written there now. */
  denylistRepaired: (repaired: {
    from: 'journal' | 'memory'
    to: 'redis' | 'journal'
    denials: number
  }) => void
  /** By how much the clock of this machine is ahead of that of `of`, in seconds. */
  clockOffset: (of: string, seconds: number) => void
}

export function denylistMetrics(registers: Registry[]): DenylistMetrics {
  const trusted = new Gauge({
    name: 'signoff_denylist_trusted',
    help: '1 while Redis is known to agree with the journal, 0 while Postgres is asked instead.',
    registers,
  })
  const lag = new Gauge({
    name: 'signoff_denylist_lag_seconds',
    help: 'Seconds that the partition of Redis furthest behind the journal is behind it; a second or two is usual.',
    registers,
  })
  const relaying = new Gauge({
    name: 'signoff_relay_leader',
    help: '1 while this instance is the one that keeps Redis in line with the journal.',
    registers,
  })
  const notWritten = new Counter({
    name: 'signoff_denylist_write_failures_total',
    help: 'Denials that this instance could not write to Redis; they are in the journal, and relayed later.',
    registers,
  })
  const repaired = new Counter({
    name: 'signoff_denylist_repaired_total',
    help: 'Denials that were missing where they should have been, and were written there; in health it stays at 0.',
    labelNames: ['from', 'to'],
    registers,
  })
  repaired.inc({ from: 'journal', to: 'redis' }, 0)
  repaired.inc({ from: 'memory', to: 'journal' }, 0)
  const clockOffset = new Gauge({
    name: 'signoff_clock_offset_seconds',
    help: 'Seconds by which the clock of this machine is ahead of that of Postgres or Redis; negative where it is behind.',
    labelNames: ['of'],
    registers,
  })

  return {
    denylistTrusted: (isTrusted) => {
      trusted.set(isTrusted ? 1 : 0)
    },
    denylistLag: (seconds) => {
      lag.set(seconds)
    },
    relaying: (isLeader) => {
      relaying.set(isLeader ? 1 : 0)
    },
    denialNotWritten: () => {
      notWritten.inc()
    },
    denylistRepaired: ({ from, to, denials }) => {
      repaired.inc({ from, to }, denials)
    },
    clockOffset: (of, seconds) => {
      clockOffset.set({ of }, seconds)
    },
  }
}
