// When two usernames are the same one: the profile UsernameCaseMapped of PRECIS (RFC 8265 section 3.3).

/**
 * Halfwidth and fullwidth forms, with the ideographic space. Without the Hangul among them and the macron, which are
 * no characters of a username in any width.
 */
const WIDE_OR_NARROW = /[\u3000\uFF01-\uFF9F\uFFE0-\uFFE2\uFFE4-\uFFE6\uFFE8-\uFFEE]/g

/**
 * Names are the same when they differ in case, in space around them, in the width of their characters, or in how
 * Unicode spells an accent.
 */
export function usernameKey(username: string): string {
  const ofOneWidth = username.trim().replace(WIDE_OR_NARROW, (character) => character.normalize('NFKC'))
  return ofOneWidth.toLowerCase().normalize('NFC')
}

/**
 * Under what an account of that name may be stored, in the order in which it is to be looked for. Accounts made before
 * widths were mapped have the key of that time, which nothing else is stored under now: it comes first, so that each
 * of them is found by every spelling that it was found by then.
 */
export function usernameKeys(username: string): [asStoredBefore: string, today: string] {
  return [username.trim().normalize('NFC').toLowerCase(), usernameKey(username)]
}
