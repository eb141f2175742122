// Percentiles and medians, exact: taken from the samples themselves.

/** The smallest sample that `percent` of all samples do not exceed; `NaN` without samples. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = Float64Array.from(samples).sort()
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 50)
}
