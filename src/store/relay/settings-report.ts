// Whether all instances have the same settings where they must: the log says so once for each change, and /readyz too.
import type { Clock } from '../../clock.ts'
import type { SystemLog } from '../../ops/log.ts'
import type { ListedInstance } from '../postgres/instances.ts'

/** The values that must be the same at all instances, by the name of the setting. */
export interface AgreedSettings {
  /** Whose values may be told. */
  shown: Readonly<Record<string, string>>
  /** Fingerprints of secrets, of which nothing is told but that they differ. */
  hidden: Readonly<Record<string, string>>
}

export interface SettingsReport {
  /** As the database lists the instances, each time that it is read. */
  note(listed: readonly ListedInstance[]): void
  /** The names of the settings that differ; none where all is well. */
  differing: () => readonly string[]
}

interface Difference {
  setting: string
  /** Each value with the names of those that have it; without the values, where they are secret. */
  values: { value: string | null; at: string[] }[]
}

/** A change that comes to one instance after the other is no difference yet. */
const STANDING_MS = 10_000
const MAX_NAMED = 5

export function settingsText({ shown, hidden }: AgreedSettings): string {
  return JSON.stringify({ shown, hidden })
}

export function settingsReport(clock: Pick<Clock, 'steadyMs'>, log: SystemLog): SettingsReport {
  /** The last finding, as a text, and since when it holds. */
  let found = { text: '[]', since: -Infinity, differences: [] as Difference[] }
  let told = found

  return {
    note: (listed) => {
      const differences = differencesAmong(listed)
      const text = JSON.stringify(differences)
      if (text !== found.text) found = { text, since: clock.steadyMs(), differences }
      if (text === told.text || clock.steadyMs() - found.since < STANDING_MS) return
      told = found
      tell(differences)
    },
    differing: () => told.differences.map(({ setting }) => setting),
  }

  function tell(differences: Difference[]): void {
    if (differences.length === 0) log.info('the settings are the same at all instances')
    for (const difference of differences) {
      log.warn(
        difference,
        `the instances differ in a setting that must be the same: ${sentenceOf(difference)}`,
      )
    }
  }
}

function sentenceOf({ setting, values }: Difference): string {
  const parts = values.map(({ value, at }, index) => {
    const more = at.length > MAX_NAMED ? ` and ${at.length - MAX_NAMED} others` : ''
    return `${value ?? (index === 0 ? 'one' : 'another')} at ${at.slice(0, MAX_NAMED).join(', ')}${more}`
  })
  return `${setting} is ${parts.join('; ')}`
}

/** Of those that are there, and say something of that setting: another version may have others. */
function differencesAmong(listed: readonly ListedInstance[]): Difference[] {
  const says = listed
    .map(({ name, isPresent, settings }) => ({ name, settings: isPresent ? parse(settings) : null }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return (['shown', 'hidden'] as const).flatMap((kind) => {
    const names = new Set(says.flatMap(({ settings }) => Object.keys(settings?.[kind] ?? {})))
    return [...names].flatMap((setting) => {
      const values = new Map<string, string[]>()
      for (const { name, settings } of says) {
        const value = settings?.[kind][setting]
        if (value !== undefined) values.set(value, [...(values.get(value) ?? []), name])
      }
      if (values.size < 2) return []
      const told = [...values].map(([value, at]) => ({ value: kind === 'shown' ? value : null, at }))
      return [{ setting, values: told }]
    })
  })
}

/** `null` for what an instance of another version may have written in another way. */
function parse(text: string | null): AgreedSettings | null {
  try {
    const { shown, hidden } = JSON.parse(text ?? '{}') as Partial<AgreedSettings>
    return { shown: textsOf(shown), hidden: textsOf(hidden) }
  } catch {
    return null
  }
}

function textsOf(values: unknown): Record<string, string> {
  const entries = Object.entries(Object(values) as object)
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
