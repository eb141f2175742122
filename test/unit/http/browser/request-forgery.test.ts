// Forged requests: a token of its own for each session, and no foreign page that acts for its visitors.
import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import {
  csrfTokenOf,
  requireCsrfToken,
  requireOwnOrigin,
  type ForgeryDeps,
} from '../../../../src/http/browser/request-forgery.ts'
import { RefusalError } from '../../../../src/http/errors.ts'
import { koaContext } from '../../../support/builders/koa-context.ts'

const deps: ForgeryDeps = {
  csrfSecret: randomBytes(32),
  allowedOrigins: ['https://app.example', 'https://signoff.example'],
}

/** `let through`, or status and error code of the refusal. */
function outcomeOf(check: () => void): string {
  try {
    check()
    return 'let through'
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error
    const { status, body } = error.refusal
    return `${status} ${(body as { error_code: string }).error_code}`
  }
}

describe('csrfTokenOf', () => {
  const sid = uuidv7()

  it('is the same for a session each time, after a restart too', () => {
    const restarted = { ...deps, csrfSecret: Buffer.from(deps.csrfSecret) }

    expect(csrfTokenOf(deps, sid)).to.equal(csrfTokenOf(restarted, sid))
  })

  it('is another one for another session, and under another secret', () => {
    const tokens = [
      csrfTokenOf(deps, sid),
      csrfTokenOf(deps, uuidv7()),
      csrfTokenOf({ ...deps, csrfSecret: randomBytes(32) }, sid),
    ]

    expect(new Set(tokens).size).to.equal(3)
  })

  it('is 256 bits in the letters that a header can carry, and shows nothing of the session', () => {
    const token = csrfTokenOf(deps, sid)

    expect(token).to.match(/^[\w-]{43}$/)
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.to.include(sid)
  })
})

describe('requireCsrfToken', () => {
  const sid = uuidv7()
  const right = csrfTokenOf(deps, sid)
  const withToken = (token?: string) =>
    outcomeOf(() => {
      const headers = token === undefined ? {} : { 'X-CSRF-Token': token }
      requireCsrfToken(deps, koaContext({ headers }), sid)
    })

  it('lets the token of the session through', () => {
    expect(withToken(right)).to.equal('let through')
  })

  const wrong: { what: string; token: string | undefined }[] = [
    { what: 'no token', token: undefined },
    { what: 'an empty one', token: '' },
    { what: 'the token of another session', token: csrfTokenOf(deps, uuidv7()) },
    { what: 'one under another secret', token: csrfTokenOf({ ...deps, csrfSecret: randomBytes(32) }, sid) },
    { what: 'one cut short by a letter', token: right.slice(0, -1) },
    { what: 'one with a letter more', token: `${right}A` },
    { what: 'one twice over', token: `${right}, ${right}` },
    { what: 'one with another letter in front', token: (right.startsWith('A') ? 'B' : 'A') + right.slice(1) },
    { what: 'one in another case', token: right.toUpperCase() },
    { what: 'one of as many characters, which are more bytes', token: 'ä'.repeat(right.length) },
    { what: 'the id of the session', token: sid },
  ]
  for (const { what, token } of wrong) {
    it(`is 403 for ${what}`, () => {
      expect(withToken(token)).to.equal('403 CSRF_FAILED')
    })
  }

  it('takes the token from no other header, and not from the address', () => {
    const ctx = koaContext({ headers: { 'X-XSRF-Token': right, Cookie: `csrf_token=${right}` } })
    ctx.url = `/?csrf_token=${right}&X-CSRF-Token=${right}`

    const outcome = outcomeOf(() => {
      requireCsrfToken(deps, ctx, sid)
    })

    expect(outcome).to.equal('403 CSRF_FAILED')
  })
})

describe('requireOwnOrigin', () => {
  const asked = (headers: Record<string, string>) =>
    outcomeOf(() => {
      requireOwnOrigin(deps, koaContext({ headers: { Host: 'login.example', ...headers } }))
    })

  const passes: { what: string; headers: Record<string, string> }[] = [
    { what: 'a program that is no browser', headers: {} },
    { what: 'a page of this host', headers: { Origin: 'https://login.example' } },
    {
      what: 'a page of this host, as a browser of today says it',
      headers: { Origin: 'https://login.example', 'Sec-Fetch-Site': 'same-origin' },
    },
    {
      what: 'a page of this host, where the browser sends no Origin',
      headers: { 'Sec-Fetch-Site': 'same-origin' },
    },
    { what: 'an address that the visitor typed', headers: { 'Sec-Fetch-Site': 'none' } },
    { what: 'a page of an allowed origin', headers: { Origin: 'https://app.example' } },
    {
      what: 'a page of an allowed origin on another site',
      headers: { Origin: 'https://app.example', 'Sec-Fetch-Site': 'cross-site' },
    },
    {
      what: 'a page of this host and its port',
      headers: { Host: 'login.example:8443', Origin: 'https://login.example:8443' },
    },
  ]
  for (const { what, headers } of passes) {
    it(`lets ${what} through`, () => {
      expect(asked(headers)).to.equal('let through')
    })
  }

  const refused: { what: string; headers: Record<string, string> }[] = [
    { what: 'a page of another host', headers: { Origin: 'https://evil.example' } },
    { what: 'the origin null of sandboxed pages and files', headers: { Origin: 'null' } },
    {
      what: 'the origin null, even where the browser says same-origin',
      headers: { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' },
    },
    { what: 'a page of this host over plain HTTP', headers: { Origin: 'http://login.example' } },
    { what: 'a page of this host on another port', headers: { Origin: 'https://login.example:8443' } },
    {
      what: 'a page of this host without the port',
      headers: { Host: 'login.example:8443', Origin: 'https://login.example' },
    },
    { what: 'a page of a host below this one', headers: { Origin: 'https://a.login.example' } },
    { what: 'a page of a host that ends alike', headers: { Origin: 'https://evil-login.example' } },
    { what: 'a page of a host that begins alike', headers: { Origin: 'https://login.example.evil.example' } },
    { what: 'a page of an allowed host over plain HTTP', headers: { Origin: 'http://app.example' } },
    { what: 'a page of an allowed host on another port', headers: { Origin: 'https://app.example:444' } },
    { what: 'a page of a host below an allowed one', headers: { Origin: 'https://x.app.example' } },
    { what: 'a page of another site', headers: { 'Sec-Fetch-Site': 'cross-site' } },
    { what: 'a page of a neighbouring host', headers: { 'Sec-Fetch-Site': 'same-site' } },
    {
      what: 'a page of a neighbouring host that names this one',
      headers: { Origin: 'https://login.example', 'Sec-Fetch-Site': 'same-site' },
    },
    { what: 'an Origin of nothing but the scheme', headers: { Host: '', Origin: 'https:' } },
    { what: 'several origins at once', headers: { Origin: 'https://app.example https://evil.example' } },
  ]
  for (const { what, headers } of refused) {
    it(`is 403 for ${what}`, () => {
      expect(asked(headers)).to.equal('403 CSRF_FAILED')
    })
  }
})
