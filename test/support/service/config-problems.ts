// What is wrong with settings, as a list.
import { ConfigError } from '../../../src/settings/config-error.ts'

/** The problems of the `ConfigError` that `work` throws; none where it throws nothing. */
export function problemsBy(work: () => unknown): readonly string[] {
  try {
    work()
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
