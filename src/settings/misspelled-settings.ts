// Finds variables that somebody took for settings: their names are one slip of the finger away from one.

/** Shorter names (`HOST`, `PORT`, `TLS`) are one letter away from words that mean something else. */
const LEAST_LENGTH = 5

/** A sentence for each variable of `env` that is nearly one of `settings`. */
export function misspelledSettings(env: NodeJS.ProcessEnv, settings: readonly string[]): string[] {
  return Object.keys(env).flatMap((name) => {
    if (settings.includes(name)) return []
    const meant = settings.find(
      (setting) => setting.length >= LEAST_LENGTH && isOneSlipFrom(name.toUpperCase(), setting),
    )
    return meant === undefined ? [] : [`${name} is no setting, and is not used: is ${meant} meant?`]
  })
}

/** The same but for the case, or with one letter too many, one missing, one wrong, or two in each other's place. */
function isOneSlipFrom(text: string, other: string): boolean {
  if (Math.abs(text.length - other.length) > 1) return false
  let start = 0
  while (start < text.length && text[start] === other[start]) start += 1
  const [rest, otherRest] = [text.slice(start), other.slice(start)]
  if (rest.length > otherRest.length) return rest.slice(1) === otherRest
  if (rest.length < otherRest.length) return otherRest.slice(1) === rest
  const isSwapped = rest[0] === otherRest[1] && rest[1] === otherRest[0]
  return rest.slice(1) === otherRest.slice(1) || (isSwapped && rest.slice(2) === otherRest.slice(2))
}
