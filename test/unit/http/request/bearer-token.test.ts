// The Authorization header: one token of the scheme Bearer, or nothing.
import { expect } from 'chai'
import { bearerToken } from '../../../../src/http/request/bearer-token.ts'
import { koaContext } from '../../../support/builders/koa-context.ts'

describe('bearerToken', () => {
  const tokenIn = (authorization?: string) =>
    bearerToken(koaContext({ headers: authorization === undefined ? {} : { Authorization: authorization } }))

  for (const header of ['Bearer a.b.c', 'bearer a.b.c', 'BEARER a.b.c', 'Bearer   a.b.c', ' Bearer a.b.c ']) {
    it(`is the token of ${JSON.stringify(header)}`, () => {
      expect(tokenIn(header)).to.equal('a.b.c')
    })
  }

  for (const header of [
    undefined,
    '',
    ' ',
    'Bearer',
    'Bearer ',
    'a.b.c',
    'Basic a.b.c',
    'Token a.b.c',
    'Bearera.b.c',
    'Bearer: a.b.c',
    'Bearer\ta.b.c',
    'Bearer a.b.c d',
    'Bearer a.b.c, Bearer d.e.f',
    'X Bearer a.b.c',
  ]) {
    it(`is null for ${header === undefined ? 'no header' : JSON.stringify(header)}`, () => {
      expect(tokenIn(header)).to.equal(null)
    })
  }
})
