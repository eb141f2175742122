// What is told of settings in which the instances differ: once a change, by name, and nothing of a secret.
import { expect } from 'chai'
import type { ListedInstance } from '../../../../src/store/postgres/instances.ts'
import {
  settingsReport,
  settingsText,
  type AgreedSettings,
  type SettingsReport,
} from '../../../../src/store/relay/settings-report.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'
import { recordingLog, type RecordingLog } from '../../../support/fakes/recording-log.ts'

const STANDING_MS = 10_000

describe('settingsReport', () => {
  let clock: FakeClock
  let log: RecordingLog
  let report: SettingsReport

  beforeEach(() => {
    clock = fakeClock()
    log = recordingLog()
    report = settingsReport(clock, log)
  })

  const instance = (name: string, settings: Partial<AgreedSettings> | string | null, isPresent = true) => ({
    id: name,
    name,
    seenAtMs: clock.epochMs(),
    isPresent,
    isCommand: false,
    settings:
      settings === null || typeof settings === 'string'
        ? settings
        : settingsText({ shown: {}, hidden: {}, ...settings }),
  })
  const leeway = (name: string, value: string, isPresent = true) =>
    instance(name, { shown: { LEEWAY: value, ISSUER: 'https://signoff.test' } }, isPresent)
  const standing = async (...listed: ListedInstance[]) => {
    report.note(listed)
    await clock.advance(STANDING_MS)
    report.note(listed)
  }
  const told = () => log.lines.map(({ level, message }) => [level, message])

  it('says nothing where all are the same, at the start too', async () => {
    await standing(leeway('a', '5'), leeway('b', '5'))

    expect(report.differing()).to.deep.equal([])
    expect(told()).to.deep.equal([])
  })

  it('names the setting, its values, and which instance has which: once', async () => {
    const listed = [leeway('b', '10'), leeway('a', '5'), leeway('c', '10')]
    await standing(...listed)
    await standing(...listed)

    expect(report.differing()).to.deep.equal(['LEEWAY'])
    expect(told()).to.deep.equal([
      ['warn', 'the instances differ in a setting that must be the same: LEEWAY is 5 at a; 10 at b, c'],
    ])
    expect(log.lines[0]?.fields).to.deep.equal({
      setting: 'LEEWAY',
      values: [
        { value: '5', at: ['a'] },
        { value: '10', at: ['b', 'c'] },
      ],
    })
  })

  it('tells when it changes, and when it is over', async () => {
    await standing(leeway('a', '5'), leeway('b', '10'))
    await standing(leeway('a', '5'), leeway('b', '7'))
    await standing(leeway('a', '5'), leeway('b', '5'))

    expect(told().slice(1)).to.deep.equal([
      ['warn', 'the instances differ in a setting that must be the same: LEEWAY is 5 at a; 7 at b'],
      ['info', 'the settings are the same at all instances'],
    ])
    expect(report.differing()).to.deep.equal([])
  })

  it('waits for ten seconds: a change comes to one instance after the other', async () => {
    report.note([leeway('a', '5'), leeway('b', '10')])
    await clock.advance(STANDING_MS - 1)
    report.note([leeway('a', '5'), leeway('b', '10')])
    report.note([leeway('a', '10'), leeway('b', '10')])
    await clock.advance(STANDING_MS)
    report.note([leeway('a', '10'), leeway('b', '10')])

    expect(told()).to.deep.equal([])
  })

  it('tells of a secret only that it differs', async () => {
    await standing(
      instance('a', { hidden: { REFRESH_KEY_FILE: 'beef' } }),
      instance('b', { hidden: { REFRESH_KEY_FILE: 'cafe' } }),
    )

    expect(told()).to.deep.equal([
      [
        'warn',
        'the instances differ in a setting that must be the same: REFRESH_KEY_FILE is one at a; another at b',
      ],
    ])
    expect(JSON.stringify(log.lines)).not.to.match(/beef|cafe/)
  })

  it('looks at those that are there, and say something', async () => {
    await standing(
      leeway('a', '5'),
      leeway('dead', '10', false),
      instance('signoff user', null),
      instance('of the version before', null),
      instance('of the version after', { shown: { LEEWAY: '5', ANOTHER: 'x' } }),
      instance('of another kind', '[1'),
      instance('of yet another', '{"shown":{"LEEWAY":7},"hidden":"x"}'),
    )

    expect(told()).to.deep.equal([])
  })

  it('names five instances for each value, and counts the rest', async () => {
    const many = ['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => leeway(name, '10'))

    await standing(leeway('a', '5'), ...many)

    expect(told()[0]?.[1]).to.match(/LEEWAY is 5 at a; 10 at b, c, d, e, f and 2 others$/)
  })
})
