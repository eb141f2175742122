// The credentials of a peer, in both of their places.
import { expect } from 'chai'
import { clientCredentials } from '../../../../src/http/request/client-credentials.ts'
import { InvalidInputError } from '../../../../src/http/errors.ts'
import { readForm } from '../../../../src/http/request/form-body.ts'
import { koaContext } from '../../../support/builders/koa-context.ts'
import { AuthError } from '../../../../src/auth/errors.ts'

const FORM_TYPE = 'application/x-www-form-urlencoded'
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

describe('clientCredentials', () => {
  const found = ({ authorization, form = '' }: { authorization?: string; form?: string }) => {
    const ctx = koaContext({ headers: authorization === undefined ? {} : { authorization } })
    try {
      return clientCredentials(ctx, new URLSearchParams(form))
    } catch (error) {
      if (error instanceof AuthError) return error.code
      if (error instanceof InvalidInputError) return error.problems.map(({ field }) => field).join()
      throw error
    }
  }
  const SHOP = { clientId: 'shop', clientSecret: 's3_cr-t' }

  it('come from HTTP Basic, its scheme in any case', () => {
    for (const scheme of ['Basic', 'basic', 'BASIC', 'Basic  ']) {
      const authorization = basic('shop:s3_cr-t').replace('Basic', scheme)
      expect(found({ authorization }), scheme).to.deep.equal(SHOP)
    }
  })

  it('are decoded as in a form before they count', () => {
    expect(found({ authorization: basic('sh%6Fp:s3%5Fcr-t') })).to.deep.equal(SHOP)
    expect(found({ authorization: basic('a+b%3Ac:%C3%A4%2B') })).to.deep.equal({
      clientId: 'a b:c',
      clientSecret: 'ä+',
    })
    expect(found({ authorization: basic('shop:a:b') })).to.deep.equal({
      clientId: 'shop',
      clientSecret: 'a:b',
    })
  })

  it('come from the form', () => {
    expect(found({ form: 'token=x&client_id=shop&client_secret=s3_cr-t' })).to.deep.equal(SHOP)
  })

  it('are in neither place where they are missing, halved, empty or illegible', () => {
    for (const form of [
      '',
      'token=x',
      'client_id=shop',
      'client_secret=x',
      'client_id=shop&client_secret=',
    ]) {
      expect(found({ form }), form).to.equal('credentials_invalid')
    }
    for (const authorization of [
      'Bearer abc',
      'Basic',
      'Basic !!!',
      'Basic a b',
      basic('shop'),
      basic('shop:'),
      basic(':secret'),
      basic('shop:%'),
      basic('shop:%ff'),
      basic(''),
    ]) {
      expect(found({ authorization }), authorization).to.equal('credentials_invalid')
    }
  })

  it('are refused when they come both ways', () => {
    const authorization = basic('shop:s3_cr-t')

    expect(found({ authorization, form: 'client_id=shop&client_secret=s3_cr-t' })).to.equal('client_secret')
    expect(found({ authorization, form: 'client_secret=other' })).to.equal('client_secret')
    expect(found({ authorization, form: 'client_id=other' })).to.equal('client_id')
    expect(found({ authorization: 'Bearer x', form: 'client_id=shop&client_secret=x' })).to.equal(
      'client_secret',
    )
  })

  it('may be named in the form too, by clients that always do that', () => {
    expect(found({ authorization: basic('shop:s3_cr-t'), form: 'client_id=shop' })).to.deep.equal(SHOP)
  })

  it('are refused when a field is repeated', () => {
    expect(found({ form: 'client_id=a&client_id=b&client_secret=x' })).to.equal('client_id')
    expect(found({ form: 'client_id=a&client_secret=x&client_secret=x' })).to.equal('client_secret')
  })
})

describe('readForm', () => {
  const read = (body?: string | Uint8Array, type = FORM_TYPE) =>
    Object.fromEntries(
      readForm(koaContext({ headers: { 'content-type': type }, ...(body !== undefined && { body }) })),
    )

  it('reads the fields, whatever the parameters of the type', () => {
    expect(read('token=a%20b&x=%C3%A4')).to.deep.equal({ token: 'a b', x: 'ä' })
    expect(read('token=a', `${FORM_TYPE.toUpperCase()}; charset=utf-8`)).to.deep.equal({ token: 'a' })
  })

  it('finds no fields where there is no body, of whatever type', () => {
    expect(read(undefined, 'application/json')).to.deep.equal({})
  })

  it('refuses another type, and bytes that are not UTF-8', () => {
    expect(() => read('{}', 'application/json'))
      .to.throw()
      .with.property('status', 415)
    expect(() => read('token=a', 'text/plain'))
      .to.throw()
      .with.property('status', 415)
    expect(() => read(Uint8Array.of(0x61, 0xff))).to.throw(InvalidInputError)
  })
})
