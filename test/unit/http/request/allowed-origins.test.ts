// Which origins a setting allows, and which settings could never allow one.
import { expect } from 'chai'
import { isAllowedOrigin, isOriginPattern } from '../../../../src/http/request/allowed-origins.ts'

const EXTENSION = `chrome-extension://${'abcdefghijklmnop'.repeat(2)}`

describe('isOriginPattern', () => {
  for (const pattern of [
    'https://app.example.com',
    'https://app.example.com:8443',
    'https://my_app.example.com',
    'https://xn--mnchen-3ya.example',
    'https://intranet',
    'http://localhost:5173',
    'http://127.0.0.1:5173',
    'http://[::1]:5173',
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'app://-',
    'moz-extension://8f1c2f4e-5c0a-4f6e-9d59-0d0a6a1f4b11',
    EXTENSION,
    'https://*.example.com',
    'https://*.preview.example.com:8443',
    'http://*.localhost:5173',
  ]) {
    it(`takes ${pattern}`, () => {
      expect(isOriginPattern(pattern)).to.equal(true)
    })
  }

  const refused: Record<string, string[]> = {
    'no origin': [
      '',
      '*',
      'null',
      'app.example.com',
      '//app.example.com',
      'https://',
      'https:app.example.com',
    ],
    'more than an origin': [
      'https://app.example.com/',
      'https://app.example.com/path',
      'https://app.example.com?',
      'https://app.example.com#',
      'https://user@app.example.com',
      'capacitor://localhost/',
      'https://a.example.com https://b.example.com',
    ],
    'a spelling that no browser sends': [
      'HTTPS://app.example.com',
      'https://App.example.com',
      'Capacitor://localhost',
      'capacitor://Localhost',
      'https://münchen.example',
      'https://app.example.com:443',
      'http://app.example.com:80',
      'https://app.example.com:0',
      'https://app.example.com:08443',
      'https://app.example.com:65536',
      'https://app.example.com:',
      'http://127.1',
      'http://[0:0:0:0:0:0:0:1]',
    ],
    'a host that cannot be': [
      'https://app..example.com',
      'https://.example.com',
      'https://a;b.example',
      'https://%',
    ],
    'a scheme whose pages have no origin': [
      'file://',
      'file://localhost',
      'data://x',
      'blob://x',
      'about://blank',
      'javascript://x',
      'ws://app.example.com',
      'wss://app.example.com',
    ],
    'a wildcard that is not one leading label': [
      'https://*',
      'https://*:8443',
      'https://app-*.example.com',
      'https://*-app.example.com',
      'https://*.*.example.com',
      'https://app.*.example.com',
      'https://app.example.*',
      'https://**.example.com',
      'https://*example.com',
      'https://*.',
      'https://app.example.com:*',
      '*://app.example.com',
      'https://*.127.0.0.1',
      'https://*.[::1]',
    ],
    'a wildcard for every site of a top-level domain': [
      'https://*.com',
      'https://*.com.',
      'https://*.app:8443',
    ],
    'an extension that cannot be': [
      'chrome-extension://abc',
      `chrome-extension://${'A'.repeat(32)}`,
      `chrome-extension://${'z'.repeat(32)}`,
      `chrome-extension://${'a'.repeat(33)}`,
      `chrome-extension://${'a'.repeat(32)}:1`,
      'chrome-extension://*.example.com',
    ],
  }
  for (const [what, patterns] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      for (const pattern of patterns) expect(isOriginPattern(pattern), pattern).to.equal(false)
    })
  }
})

describe('isAllowedOrigin', () => {
  const allowedOrigins = [
    'https://app.example',
    'https://*.example.com',
    'https://*.example.org:8443',
    'capacitor://localhost',
    EXTENSION,
  ]
  const isAllowed = (origin: string) => isAllowedOrigin({ allowedOrigins }, origin)

  for (const origin of [
    'https://app.example',
    'https://pr-7.example.com',
    'https://a.example.com',
    'https://xn--mnchen-3ya.example.com',
    'https://my_app.example.com',
    'https://a.example.org:8443',
    'capacitor://localhost',
    EXTENSION,
  ]) {
    it(`is true of ${origin}`, () => {
      expect(isAllowed(origin)).to.equal(true)
    })
  }

  for (const origin of [
    '',
    'null',
    'https://example.com',
    'https://.example.com',
    'https://a.b.example.com',
    'https://a..example.com',
    'https://a.example.com:8443',
    'https://a.example.com:443',
    'https://a.example.com.',
    'https://a.example.com/',
    'https://a.example.org',
    'http://a.example.com',
    'capacitor://a.example.com',
    'https://evilexample.com',
    'https://a.example.com.evil.example',
    'https://evil.example/.example.com',
    'https://evil.example#.example.com',
    'https://evil.example?.example.com',
    'https://evil.example:80.example.com',
    'https://user@.example.com',
    'https://a b.example.com',
    'https://evil.example https://a.example.com',
    'https://*.example.com',
    `https://${'a'.repeat(64)}.example.com`,
    'https://app.example.evil.example',
    'http://app.example',
    'capacitor://localhost:1',
  ]) {
    it(`is false of ${origin === '' ? 'none' : origin}`, () => {
      expect(isAllowed(origin)).to.equal(false)
    })
  }
})
