// The session cookie, to the letter.
import { expect } from 'chai'
import {
  clearCookie,
  readCookie,
  requireCookieKept,
  setCookie,
  type CookieDeps,
} from '../../../../src/http/browser/cookie.ts'
import { RefusalError } from '../../../../src/http/errors.ts'
import { koaContext } from '../../../support/builders/koa-context.ts'

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax'
const NOW = 1_800_000_000
const SETTINGS = [
  { cookieSameSite: 'lax', attribute: 'Lax' },
  { cookieSameSite: 'strict', attribute: 'Strict' },
  { cookieSameSite: 'none', attribute: 'None' },
] as const

const deps: CookieDeps = { cookieSameSite: 'lax', now: () => NOW }
const refreshOf = (token: string, leftSeconds = 3600) => ({ token, exp: NOW + leftSeconds })

describe('readCookie', () => {
  const read = (cookie?: string) =>
    readCookie(koaContext({ headers: cookie === undefined ? {} : { Cookie: cookie } }))

  it('returns what the cookie holds, wherever it stands among others', () => {
    for (const cookie of [
      '__Host-signoff=a.b-c.d_e',
      'x=1; __Host-signoff=a.b-c.d_e; y=2',
      'x=1;__Host-signoff=a.b-c.d_e',
    ]) {
      expect(read(cookie), cookie).to.equal('a.b-c.d_e')
    }
  })

  it('is null without a cookie, and for any name that other hosts could set', () => {
    for (const cookie of [
      undefined,
      '',
      'x=1',
      'signoff=a',
      '__Secure-signoff=a',
      '__host-signoff=a',
      'x__Host-signoff=a',
      '__Host-signoff2=a',
      'x=__Host-signoff',
      '__Host-signoff',
    ]) {
      expect(read(cookie), cookie).to.equal(null)
    }
  })
})

describe('setCookie', () => {
  it('sets it for this host and TLS alone, out of reach for scripts, for as long as the browser runs', () => {
    const ctx = koaContext()

    setCookie(deps, ctx, { refresh: refreshOf('a.b.c'), isPersistent: false })

    expect(ctx.response.headers['set-cookie']).to.equal(`__Host-signoff=a.b.c; ${ATTRIBUTES}`)
  })

  for (const { leftSeconds, maxAge } of [
    { leftSeconds: 86_400, maxAge: 86_400 },
    { leftSeconds: 1, maxAge: 1 },
    { leftSeconds: -3, maxAge: 0 },
  ]) {
    it(`keeps a persistent one for ${maxAge} s where its token has ${leftSeconds} s left`, () => {
      const ctx = koaContext()

      setCookie(deps, ctx, { refresh: refreshOf('a.b.c', leftSeconds), isPersistent: true })

      expect(ctx.response.headers['set-cookie']).to.equal(
        `__Host-signoff=a.b.c; ${ATTRIBUTES}; Max-Age=${maxAge}`,
      )
    })
  }

  for (const { cookieSameSite, attribute } of SETTINGS) {
    it(`says SameSite=${attribute} where the setting is ${cookieSameSite}`, () => {
      const ctx = koaContext()

      setCookie({ ...deps, cookieSameSite }, ctx, { refresh: refreshOf('a.b.c'), isPersistent: false })

      expect(ctx.response.headers['set-cookie']).to.equal(
        `__Host-signoff=a.b.c; Path=/; Secure; HttpOnly; SameSite=${attribute}`,
      )
    })
  }

  it('leaves other cookies of the answer as they are', () => {
    const ctx = koaContext()
    ctx.append('Set-Cookie', 'x=1')

    setCookie(deps, ctx, { refresh: refreshOf('a.b.c'), isPersistent: false })

    expect(ctx.response.headers['set-cookie']).to.deep.equal(['x=1', `__Host-signoff=a.b.c; ${ATTRIBUTES}`])
  })

  it('sets what readCookie reads', () => {
    const ctx = koaContext()
    setCookie(deps, ctx, { refresh: refreshOf('a.b-c.d_e'), isPersistent: true })
    const [cookie = ''] = String(ctx.response.headers['set-cookie']).split(';')

    expect(readCookie(koaContext({ headers: { Cookie: cookie } }))).to.equal('a.b-c.d_e')
  })
})

describe('clearCookie', () => {
  for (const { cookieSameSite, attribute } of SETTINGS) {
    it(`takes it away with the very attributes that it was set with, where the setting is ${cookieSameSite}`, () => {
      const ctx = koaContext()

      clearCookie({ ...deps, cookieSameSite }, ctx)

      expect(ctx.response.headers['set-cookie']).to.equal(
        `__Host-signoff=; Path=/; Secure; HttpOnly; SameSite=${attribute}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT`,
      )
    })
  }
})

describe('requireCookieKept', () => {
  const outcomeOf = (cookieSameSite: CookieDeps['cookieSameSite'], headers: Record<string, string>) => {
    try {
      requireCookieKept({ ...deps, cookieSameSite }, koaContext({ headers }))
      return 'let through'
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error
      const { status, body } = error.refusal
      return `${status} ${(body as { error_code: string }).error_code}`
    }
  }

  it('is 403 for a page of another site, unless the cookie is for those', () => {
    const outcomes = SETTINGS.map(({ cookieSameSite }) =>
      outcomeOf(cookieSameSite, { 'Sec-Fetch-Site': 'cross-site' }),
    )

    expect(outcomes).to.deep.equal(['403 COOKIE_NOT_KEPT', '403 COOKIE_NOT_KEPT', 'let through'])
  })

  it('lets pages of the same site through, and programs that are no browsers', () => {
    for (const site of ['same-site', 'same-origin', 'none']) {
      expect(outcomeOf('strict', { 'Sec-Fetch-Site': site }), site).to.equal('let through')
    }
    expect(outcomeOf('strict', {})).to.equal('let through')
  })
})
