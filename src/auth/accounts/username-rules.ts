// The rules for a new username: the IdentifierClass of PRECIS (RFC 8264 section 4.2), and one script a word.
//
// This is ours, since npm has no implementation of PRECIS that is kept up. Its tables are Unicode's properties, which
// the engine brings in its own version, so there is nothing to keep up here. Accounts that were made before these rules
// go on working: nothing is checked when a name is compared.
import { AuthError } from '../errors.ts'
import { usernameKey } from './username-key.ts'

const MAX_CHARACTERS = 150
/** So many characters that are none are named. */
const NAMED = 5

/** Letters, digits and marks (RFC 8264 section 9.1), printable ASCII (9.11), and the exceptions of 9.6. */
const VALID = /^[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}\x20-\x7E\u06FD\u06FE\u0F0B\u3007]$/u
/** The other exceptions of 9.6, Jamo that make no syllable (9.9), invisible characters and such as are none (9.13). */
const INVALID =
  /[\u302E-\u302F\u0640\u07FA\u3031-\u3035\u303B\u1100-\u11FF\uA960-\uA97C\uD7B0-\uD7C6\uD7CB-\uD7FB\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u

/** Signs with what they have to stand beside (RFC 5892 appendix A); the invisible joiners are not among them. */
const IN_CONTEXT = [
  { sign: '\u00B7', isMisplaced: /(?<!l)\u00B7|\u00B7(?!l)/u },
  { sign: '\u0375', isMisplaced: /\u0375(?!\p{Script=Greek})/u },
  { sign: '\u05F3', isMisplaced: /(?<!\p{Script=Hebrew})\u05F3/u },
  { sign: '\u05F4', isMisplaced: /(?<!\p{Script=Hebrew})\u05F4/u },
  { sign: '\u30FB', isMisplaced: /^[^\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]*$/u },
]

/** Scripts whose letters look like each other's. */
const LOOK_ALIKES = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u]

const RIGHT_TO_LEFT_SCRIPTS = 'Hebrew Arabic Syriac Thaana Nko Samaritan Mandaic Adlam Hanifi_Rohingya'.split(
  ' ',
)
const RIGHT_TO_LEFT = `(?=\\p{L})[${RIGHT_TO_LEFT_SCRIPTS.map((name) => `\\p{scx=${name}}`).join('')}]`
const HAS_RIGHT_TO_LEFT = new RegExp(RIGHT_TO_LEFT, 'u')
/**
 * Begins with a letter from right to left, ends with such a letter, a digit or a sign of Hebrew, and has no letter of
 * the other direction (RFC 5893 section 2).
 */
const IS_RIGHT_TO_LEFT = new RegExp(
  `^${RIGHT_TO_LEFT}(?:${RIGHT_TO_LEFT}|\\P{L})*(?<=(?:${RIGHT_TO_LEFT}|[\\p{Nd}\\u05F3\\u05F4])\\p{M}*)$`,
  'u',
)

/** Throws `username_invalid`, with the reasons. */
export function checkUsername(username: string): void {
  const reasons: string[] = []
  const isTooLong = Array.from(username).length > MAX_CHARACTERS
  if (username === '' || isTooLong) {
    reasons.push(`A username has 1 to ${MAX_CHARACTERS} characters.`)
  }
  // Half a character (a lone surrogate) is none that a database or a token could carry.
  if (/[\p{Cc}\p{Cs}]/u.test(username)) reasons.push('A username has no control characters.')
  if (username.trim() !== username) reasons.push('A username has no space at its ends.')
  // A name that is too long is not looked into, which bounds the time that this takes.
  if (!isTooLong) reasons.push(...problemsOf(usernameKey(username)))
  if (reasons.length > 0) throw new AuthError('username_invalid', { reasons })
}

/** Of a name as it is compared: what the mappings make good is good. */
function problemsOf(name: string): string[] {
  const strange = [...new Set(name)].filter((character) => !isValid(character, name))
  const rules = [
    {
      isBroken: strange.length > 0,
      reason: `A username has only letters, digits and the signs of ASCII, and not ${namesOf(strange)}.`,
    },
    {
      isBroken: wordsOf(name).some(mixesLookAlikes),
      reason: 'A username has no word with letters of two of Latin, Cyrillic and Greek.',
    },
    {
      isBroken: HAS_RIGHT_TO_LEFT.test(name) && !isReadRightToLeft(name),
      reason: 'A username is written in one direction, and with digits of one kind.',
    },
  ]
  return rules.filter(({ isBroken }) => isBroken).map(({ reason }) => reason)
}

function isValid(character: string, name: string): boolean {
  // They have been told of.
  if (/[\p{Cc}\p{Cs}]/u.test(character)) return true
  const inContext = IN_CONTEXT.find(({ sign }) => sign === character)
  if (inContext) return !inContext.isMisplaced.test(name)
  // Characters that stand for others look like them (RFC 8264 section 9.17).
  return VALID.test(character) && !INVALID.test(character) && character.normalize('NFKC') === character
}

function namesOf(characters: string[]): string {
  const names = characters.map(
    (character) => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
  )
  return names.length > NAMED ? `${names.slice(0, NAMED).join(', ')} …` : names.join(', ')
}

/** Runs of letters: in an e-mail address, the parts around `@` and `.` may each have a script of its own. */
function wordsOf(name: string): string[] {
  return name.split(/[^\p{L}\p{M}\p{Nd}]+/u)
}

function mixesLookAlikes(word: string): boolean {
  return LOOK_ALIKES.filter((script) => script.test(word)).length > 1
}

function isReadRightToLeft(name: string): boolean {
  const mixesDigits = /[0-9\u06F0-\u06F9]/.test(name) && /[\u0660-\u0669]/.test(name)
  return IS_RIGHT_TO_LEFT.test(name) && !mixesDigits
}
