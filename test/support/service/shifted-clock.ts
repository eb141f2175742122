// The wall clock of a process of the tests, set to another time than everybody else's.

// Loaded before the program: all code that asks for the time gets another one.
const PRELOAD = `data:text/javascript,${encodeURIComponent(`
  const shiftMs = Number(process.env.CLOCK_SHIFT_MS)
  const TrueDate = Date
  globalThis.Date = class extends TrueDate {
    constructor(...parts) { if (parts.length === 0) super(TrueDate.now() + shiftMs); else super(...parts) }
    static now() { return TrueDate.now() + shiftMs }
  }`)}`

export interface ShiftedClock {
  /** Arguments of node, before those of the program. */
  preload: string[]
  env: Record<string, string>
}

/** Ahead by `shiftMs`; behind where that is below zero. */
export function shiftedClock(shiftMs: number): ShiftedClock {
  if (shiftMs === 0) return { preload: [], env: {} }
  return { preload: ['--import', PRELOAD], env: { CLOCK_SHIFT_MS: String(shiftMs) } }
}
