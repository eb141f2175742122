// What a device is called, by its user agent.
import { expect } from 'chai'
import { deviceName, deviceNames } from '../../../../src/http/v1/device-name.ts'

describe('deviceName', () => {
  const names: Record<string, string> = {
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0': 'Firefox on Linux',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0':
      'Microsoft Edge on Windows',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15':
      'Safari on macOS',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1':
      'Chrome on iOS',
    'Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36':
      'Samsung Internet for Android on Android',
    'Mozilla/5.0 (compatible; a browser of its own)': 'Mozilla',
    'curl/8.5.0': 'curl 8',
    'okhttp/4.12.0 (Android)': 'okhttp 4',
    'my own client': 'my',
    '/': 'Unknown device',
    ' ': 'Unknown device',
  }
  for (const [userAgent, name] of Object.entries(names)) {
    it(`is ${name} for ${userAgent.slice(0, 60)}`, () => {
      expect(deviceName(userAgent)).to.equal(name)
    })
  }

  it('is Unknown device without a user agent', () => {
    expect(deviceName(null)).to.equal('Unknown device')
  })

  it('is the same for user agents that come again, and for very long ones', () => {
    const nameOf = deviceNames()
    const agents = [...Object.keys(names), null, 'x'.repeat(5000)]

    for (let round = 0; round < 2; round++) expect(agents.map(nameOf)).to.deep.equal(agents.map(deviceName))
  })

  it('is short, however long the user agent', () => {
    expect(deviceName('x'.repeat(512))).to.have.length(40)
  })
})
