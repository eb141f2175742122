// The verdict as a person reads it.
import { PHASES } from './answers.ts'
import type { Verdict } from './judge.ts'

const SHOWN_OF_EACH_RULE = 4

export function report(verdict: Verdict): string {
  const lines = [
    ...figures(verdict).map(([name, value]) => `${name.padEnd(52)} ${value}`),
    '',
    ...answers(verdict),
    '',
    ...violations(verdict),
  ]
  return `${lines.join('\n')}\n`
}

function figures({ mode, seconds, lost, acceptedAgain, mended }: Verdict): [string, string][] {
  const { secondsToFirst, secondsToLast } = mended
  const when =
    secondsToFirst === null || secondsToLast === null
      ? ''
      : `, ${secondsToFirst} to ${secondsToLast} s after the new primary`
  return [
    ['Replication', mode === 'sync' ? 'synchronous' : 'asynchronous'],
    ['Held back before the primary was killed', `${seconds.heldBack} s`],
    ['Without a primary', `${seconds.withoutPrimary} s`],
    [
      'From the kill to the first logout answered 2xx',
      seconds.untilLogout === null ? 'never' : `${seconds.untilLogout} s`,
    ],
    ['From the new primary until both instances are ready', `${seconds.untilReady} s`],
    ['From the new primary until the old one is its replica', `${seconds.untilRejoined} s`],
    ['Logouts answered 2xx before, and lost by Postgres', `${lost.logouts} of ${lost.ofLogouts}`],
    ['Logins, rotations lost by Postgres', `${lost.logins}, ${lost.rotations}`],
    [
      'Lost logouts whose session was accepted again',
      `${acceptedAgain.sessions}${places(acceptedAgain.where)}`,
    ],
    ['Lost logouts that are in the journal again', `${mended.logouts} of ${lost.logouts}${when}`],
    ['  by the reason that the journal has', inWords(mended.byReason)],
    ['  before Redis was emptied', String(mended.beforeRedisWasEmptied)],
    ['Lost logouts whose session row is not ended', String(mended.openSessions)],
    ['signoff_denylist_repaired_total', inWords(mended.repaired)],
  ]
}

function violations({ violations: byRule }: Verdict): string[] {
  const rules = Object.entries(byRule)
  if (rules.length === 0) return ['Violations: 0']
  return rules.flatMap(([rule, broken]) => [
    `Violations of rule ${rule}: ${broken.length}`,
    ...broken
      .slice(0, SHOWN_OF_EACH_RULE)
      .map(({ sentence, sid }) => `  ${sid === null ? '' : `${sid} `}${sentence}`),
  ])
}

function places(where: Record<string, number>): string {
  return Object.keys(where).length === 0 ? '' : ` (${inWords(where)})`
}

function inWords(counts: Record<string, number>): string {
  const words = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
  return words.length > 0 ? words.join(', ') : 'none'
}

function answers({ answers: byKind }: Verdict): string[] {
  const row = (name: string, cells: readonly (string | number)[]): string =>
    `${name.padEnd(46)}${cells.map((cell) => String(cell).padStart(12)).join('')}`
  return [
    row('Answers', PHASES),
    ...Object.entries(byKind).flatMap(([kind, byAnswer]) =>
      Object.entries(byAnswer).map(([answer, counts]) =>
        row(
          `${kind}: ${answer}`,
          PHASES.map((phase) => counts[phase]),
        ),
      ),
    ),
  ]
}
