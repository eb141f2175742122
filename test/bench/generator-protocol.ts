// What the benchmark and the processes that generate its load say to each other.

export interface Target {
  origin: string
  /** PEM. */
  certificate: string
  /** Kept-alive connections to open; a job uses as many of them as it asks for. */
  connections: number
  /** As many addresses ask, the connections taking turns; without it each request is from another one. */
  addresses?: number
}

export interface Job {
  path: string
  connections: number
  seconds: number
  /** Sent in their order. */
  bodies: string[]
  /** Access tokens, sent in their order beside the bodies, from the first again where there are fewer. */
  bearers?: string[]
  /** Beyond those of JSON, or in their place. */
  headers?: Record<string, string>
  /** Ends the job when every body was sent; otherwise they are sent again and again. */
  once?: boolean
  /** Starts this many requests a second, evenly; without it each connection always has one under way. */
  perSecond?: number
}

export interface Outcome {
  /** From the first request to the last answer. */
  seconds: number
  /** Milliseconds each answer took, waiting for a free connection included. */
  latencies: number[]
  /** How often each status was answered; `0` for a connection that broke. */
  statuses: Record<number, number>
  /** Share of the time the generator itself was busy; near 1 it is the client that was measured. */
  clientBusy: number
}

export type ToGenerator = { open: Target } | { run: Job } | { finish: true }
export type FromGenerator = { opened: true } | { outcome: Outcome } | { failure: string }
