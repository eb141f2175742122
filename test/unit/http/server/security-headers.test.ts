// The headers for browsers are those that helmet would send.
import { expect } from 'chai'
import type { Context, Middleware } from 'koa'
import helmet from 'koa-helmet'
import { securityHeaders } from '../../../../src/http/server/security-headers.ts'

async function headersBy(middleware: Middleware): Promise<Record<string, unknown>> {
  const headers: Record<string, unknown> = {}
  const res = {
    setHeader: (name: string, value: unknown) => {
      headers[name] = value
    },
    removeHeader: () => undefined,
  }
  await middleware({ req: {}, res } as unknown as Context, async () => {
    await Promise.resolve()
  })
  return headers
}

describe('securityHeaders', () => {
  for (const sendsHsts of [true, false]) {
    it(`sends what helmet does, ${sendsHsts ? 'HSTS included' : 'but for HSTS'}`, async () => {
      const ofHelmet = helmet({
        contentSecurityPolicy: {
          useDefaults: false,
          directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
        },
        strictTransportSecurity: sendsHsts && { maxAge: 31_536_000 },
      })

      const headers = await headersBy(securityHeaders(sendsHsts))

      expect(headers).to.deep.equal(await headersBy(ofHelmet))
      expect('Strict-Transport-Security' in headers).to.equal(sendsHsts)
    })
  }

  it('goes on to what comes next', async () => {
    const reached: string[] = []

    await securityHeaders(true)({ res: { setHeader: () => undefined } } as unknown as Context, async () => {
      reached.push('next')
      await Promise.resolve()
    })

    expect(reached).to.deep.equal(['next'])
  })
})
