// What an instance's metrics say of repairs.
const METRIC = 'signoff_denylist_repaired_total'
const TIMEOUT_MS = 5000

/** The counter by its labels; empty where the instance counts none, or does not answer. */
export async function readRepaired(adminPort: number): Promise<Map<string, number>> {
  const url = `http://127.0.0.1:${adminPort}/metrics`
  const text = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
    async (response) => await response.text(),
    () => '',
  )
  const lines = text.split('\n').filter((line) => line.startsWith(`${METRIC}{`))
  return new Map(
    lines.map((line) => {
      const [labels = '', value = ''] = line.slice(METRIC.length).split('} ')
      return [`${labels}}`, Number(value)]
    }),
  )
}

export function sumOf(counters: readonly ReadonlyMap<string, number>[]): Record<string, number> {
  const sum: Record<string, number> = {}
  for (const counter of counters) {
    for (const [labels, value] of counter) sum[labels] = (sum[labels] ?? 0) + value
  }
  return sum
}
