// Text that is no Unicode: JSON can escape one half of a surrogate pair alone, and UTF-8 has no bytes for it.

const LONE_SURROGATE = /\p{Surrogate}/u

/** Whether it has no surrogate outside a pair. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text)
}

/** The first surrogate outside a pair, as `U+D800`; `null` where there is none. */
export function loneSurrogate(text: string): string | null {
  const [found] = LONE_SURROGATE.exec(text) ?? []
  return found === undefined ? null : `U+${found.charCodeAt(0).toString(16).toUpperCase()}`
}
