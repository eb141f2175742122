// Variables that are nearly settings.
import { expect } from 'chai'
import { misspelled, readServeConfig } from '../../../src/config.ts'
import { problemsBy } from '../../support/service/config-problems.ts'

describe('misspelled', () => {
  const slips = {
    'one letter is missing': ['DATABSE_URL', 'DATABASE_URL'],
    'one letter is too many': ['REDIS_URLS', 'REDIS_URL'],
    'one letter is wrong': ['ISSUEE', 'ISSUER'],
    'two letters are in each other’s place': ['LEEAWY', 'LEEWAY'],
    'the case is another': ['Database_Url', 'DATABASE_URL'],
    'the file of a secret is meant': ['SECRET_KEY_FILES', 'SECRET_KEY_FILE'],
  }
  for (const [slip, [name = '', meant = '']] of Object.entries(slips)) {
    it(`names the setting when ${slip}: ${name}`, () => {
      expect(misspelled({ PATH: '/bin', [name]: 'x' })).to.deep.equal([
        `${name} is no setting, and is not used: is ${meant} meant?`,
      ])
    })
  }

  it('says nothing of settings, of other names, or of what is near a short one', () => {
    const env = {
      ISSUER: 'x',
      REDIS_URL_FILE: 'x',
      HOSTS: 'x',
      PORTS: 'x',
      TLSX: 'x',
      ISSUERESS: 'x',
      URL: 'x',
    }

    expect(misspelled(env)).to.deep.equal([])
  })

  it('stands beside what is missing, where somebody looks for it', () => {
    const problems = problemsBy(() => readServeConfig({ DATABSE_URL: 'postgres://h/d' }))

    expect(problems).to.include('DATABASE_URL: is needed')
    expect(problems.at(-1)).to.equal('DATABSE_URL is no setting, and is not used: is DATABASE_URL meant?')
  })
})
