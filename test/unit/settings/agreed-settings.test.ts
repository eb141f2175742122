// What an instance says of its settings, and what it keeps to itself.
import { expect } from 'chai'
import { agreedSettings } from '../../../src/settings/agreed-settings.ts'
import { readConfig } from '../../../src/config.ts'
import { hs256 } from '../../../src/tokens/jws.ts'

const SECRET = 'correct horse battery staple, twice'

describe('agreedSettings', () => {
  const settingsOf = (env: Record<string, string> = {}, refreshKey = SECRET, kids = ['a', 'b']) =>
    agreedSettings({ config: readConfig(env), keys: { refresh: hs256(Buffer.from(refreshKey)) } }, kids)

  it('says the settings by their names, and the signing keys by theirs', () => {
    expect(settingsOf({ LEEWAY: '7', REFRESH_ROTATION: 'on' }).shown).to.deep.equal({
      ISSUER: 'https://localhost:8443',
      AUDIENCE: 'signoff',
      ACCESS_TOKEN_ALG: 'ES256',
      ACCESS_TOKEN_TTL: '300',
      REFRESH_TOKEN_TTL: '86400',
      SESSION_MAX_AGE: '2592000',
      REFRESH_ROTATION: 'on',
      ROTATION_GRACE: '60',
      LEEWAY: '7',
      DENYLIST_LEASE: '5',
      REDIS_PREFIX: '',
      SIGNING_KEYS_FILE: 'a b',
    })
  })

  it('tells secrets apart, and tells sixteen bits of them', () => {
    const one = settingsOf({ SECRET_KEY: SECRET }).hidden
    const other = settingsOf({}, `${SECRET}!`).hidden

    expect(settingsOf({ SECRET_KEY: SECRET }).hidden).to.deep.equal(one)
    expect(one['REFRESH_KEY_FILE']).to.match(/^[0-9a-f]{4}$/)
    expect(one['REFRESH_KEY_FILE']).not.to.equal(other['REFRESH_KEY_FILE'])
    expect([one['SECRET_KEY'], other['SECRET_KEY']]).to.deep.equal([one['REFRESH_KEY_FILE'], 'none'])
  })

  it('is no longer than a row should be, however many keys there are', () => {
    const kids = Array.from({ length: 1000 }, (_, index) => `a-key-of-that-name-${index}`)

    expect(settingsOf({}, SECRET, kids).shown['SIGNING_KEYS_FILE']).to.have.length(2000)
  })
})
