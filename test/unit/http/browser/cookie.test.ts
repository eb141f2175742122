// The session cookie, to the letter.
import { expect } from 'chai'
import { clearCookie, readCookie, setCookie } from '../../../../src/http/browser/cookie.ts'
import { koaContext } from '../../../support/builders/koa-context.ts'

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax'

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

    setCookie(ctx, 'a.b.c')

    expect(ctx.response.headers['set-cookie']).to.equal(`__Host-signoff=a.b.c; ${ATTRIBUTES}`)
  })

  it('leaves other cookies of the answer as they are', () => {
    const ctx = koaContext()
    ctx.append('Set-Cookie', 'x=1')

    setCookie(ctx, 'a.b.c')

    expect(ctx.response.headers['set-cookie']).to.deep.equal(['x=1', `__Host-signoff=a.b.c; ${ATTRIBUTES}`])
  })

  it('sets what readCookie reads', () => {
    const ctx = koaContext()
    setCookie(ctx, 'a.b-c.d_e')
    const [cookie = ''] = String(ctx.response.headers['set-cookie']).split(';')

    expect(readCookie(koaContext({ headers: { Cookie: cookie } }))).to.equal('a.b-c.d_e')
  })
})

describe('clearCookie', () => {
  it('takes it away with the very attributes that it was set with', () => {
    const ctx = koaContext()

    clearCookie(ctx)

    expect(ctx.response.headers['set-cookie']).to.equal(
      `__Host-signoff=; ${ATTRIBUTES}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT`,
    )
  })
})
