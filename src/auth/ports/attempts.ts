// Counting attempts, so that guessing can be slowed.

/** Where attempts are counted, so that guessing can be slowed. Never rejects: without its store it counts in memory. */
export interface AttemptCounters {
  /** Resolves to the count of `key` at the moment. */
  peek(window: AttemptWindow, key: string): Promise<AttemptCount>
  /** Counts one more, in a window that begins with the first; resolves to the count, this one included. */
  count(window: AttemptWindow, key: string): Promise<AttemptCount>
  /** Begins again at nothing. */
  clear(window: AttemptWindow, key: string): Promise<void>
}

/** Each window is counted apart, and has a length of its own. */
export interface AttemptWindow {
  name: string
  seconds: number
}

export interface AttemptCount {
  count: number
  /** Until the window ends; 0 where nothing is counted. */
  resetMs: number
}
