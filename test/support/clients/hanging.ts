// The bound that tests set on what must not hang; how fast it has to be is for the benchmarks.

/** Beyond that nothing is merely slow, on whatever machine. */
export const HANGING_MS = 30_000
