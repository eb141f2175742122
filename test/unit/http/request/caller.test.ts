// Who asked: whose word counts for the address, and what a user agent may look like.
import { expect } from 'chai'
import type { Context } from 'koa'
import { callerReader } from '../../../../src/http/request/caller.ts'
import { koaContext } from '../../../support/builders/koa-context.ts'

interface Call {
  peer?: string | undefined
  forwarded?: string
  userAgent?: string
}

const call = ({ peer, forwarded, userAgent }: Call): Context => {
  const ctx = koaContext({
    headers: {
      ...(forwarded !== undefined && { 'X-Forwarded-For': forwarded }),
      ...(userAgent !== undefined && { 'User-Agent': userAgent }),
    },
  })
  Object.defineProperty(ctx.req.socket, 'remoteAddress', { value: peer })
  return ctx
}

const addressOf = (trustProxy: string[], parts: Call): string =>
  callerReader(trustProxy, { isWaiting: () => true, isInTime: () => true, noteProgress: () => undefined })(
    call(parts),
  ).ipAddress

describe('callerReader', () => {
  const PROXIES = ['loopback', '10.0.0.0/8', 'linklocal', '2001:db8:ffff::/48']

  it('takes nobody’s word without trusted proxies', () => {
    expect(addressOf([], { peer: '127.0.0.1', forwarded: '192.0.2.1' })).to.equal('127.0.0.1')
  })

  const cases: (Call & { what: string; is: string })[] = [
    { what: 'the peer without the header', peer: '10.0.0.1', is: '10.0.0.1' },
    { what: 'the peer with an empty header', peer: '10.0.0.1', forwarded: ' , ', is: '10.0.0.1' },
    {
      what: 'a peer that is not trusted, whatever it says',
      peer: '192.0.2.9',
      forwarded: '10.0.0.7',
      is: '192.0.2.9',
    },
    { what: 'what the trusted peer says', peer: '10.0.0.1', forwarded: '192.0.2.1', is: '192.0.2.1' },
    { what: 'the same over IPv6', peer: '::1', forwarded: '2001:db8::5', is: '2001:db8::5' },
    {
      what: 'the same from a peer in IPv6 spelling',
      peer: '::ffff:10.0.0.1',
      forwarded: '192.0.2.1',
      is: '192.0.2.1',
    },
    {
      what: 'the same from a peer with a zone',
      peer: 'fe80::1%eth0',
      forwarded: '192.0.2.1',
      is: '192.0.2.1',
    },
    {
      what: 'the nearest that is not trusted',
      peer: '10.0.0.1',
      forwarded: '192.0.2.66, 192.0.2.1, 10.0.0.2',
      is: '192.0.2.1',
    },
    {
      what: 'the farthest where all are trusted',
      peer: '10.0.0.1',
      forwarded: '10.0.0.3, 10.0.0.2',
      is: '10.0.0.3',
    },
    { what: 'IPv4 in IPv6 as IPv4', peer: '::ffff:192.0.2.9', is: '192.0.2.9' },
    {
      what: 'IPv4 in IPv6 as IPv4, from the header',
      peer: '::1',
      forwarded: '::FFFF:c000:0201',
      is: '192.0.2.1',
    },
    { what: 'IPv6 in one spelling', peer: '::1', forwarded: '2001:0DB8:0:0::0005', is: '2001:db8::5' },
    { what: 'IPv4 with a port', peer: '10.0.0.1', forwarded: '192.0.2.1:5678', is: '192.0.2.1' },
    { what: 'IPv6 with a port', peer: '10.0.0.1', forwarded: '[2001:db8::5]:443', is: '2001:db8::5' },
    { what: 'IPv6 in brackets', peer: '10.0.0.1', forwarded: '[2001:db8::5]', is: '2001:db8::5' },
    {
      what: 'IPv6 without brackets as an address without a port',
      peer: '10.0.0.1',
      forwarded: '2001:db8::5:443',
      is: '2001:db8::5:443',
    },
    {
      what: 'through trusted proxies that write ports',
      peer: '10.0.0.1',
      forwarded: '192.0.2.66:1, 192.0.2.1:5678,10.0.0.3:80 , [2001:db8:ffff::1]:443',
      is: '192.0.2.1',
    },
    {
      what: '`unknown` for a connection that is gone',
      peer: undefined,
      forwarded: '192.0.2.1',
      is: 'unknown',
    },
  ]
  for (const { what, is, ...parts } of cases) {
    it(`sees ${what}`, () => {
      expect(addressOf(PROXIES, parts)).to.equal(is)
    })
  }

  const garbage = [
    'unknown',
    '_hidden',
    '192.0.2.1:',
    '192.0.2.1:port',
    '192.0.2.1:4711:4712',
    '[192.0.2.1]:4711:4712',
    '[2001:db8::5',
    '[2001:db8::5]:',
    '[2001:db8::5%eth0]:4711',
    '999.0.2.1:4711',
    'fe80::9%eth0',
    '999.0.2.1',
    '192.0.2',
    '0xc0000201',
    "'; DROP TABLE logs --",
    '192.0.2.1\t',
  ]
  for (const text of garbage) {
    it(`sees the peer where the header has ${JSON.stringify(text)}`, () => {
      expect(addressOf(PROXIES, { peer: '10.0.0.1', forwarded: `192.0.2.66, ${text}` })).to.equal('10.0.0.1')
    })
  }

  for (const text of ['10.1', '0x0a000001', '167772161', 'fe80::9%eth0']) {
    it(`trusts no hop that calls itself ${text}`, () => {
      expect(addressOf(PROXIES, { peer: '10.0.0.1', forwarded: `192.0.2.66, ${text}` })).to.equal('10.0.0.1')
    })
  }

  it('looks at twenty hops and no more', () => {
    const hops = (count: number) =>
      Array.from({ length: count }, (_, index) => `10.0.1.${count - index}`).join()
    const through = (count: number) =>
      addressOf(PROXIES, { peer: '10.0.0.1', forwarded: `192.0.2.66,${hops(count)}` })

    expect(through(19)).to.equal('192.0.2.66')
    expect(through(20)).to.equal('10.0.1.20')
    expect(through(5000)).to.equal('10.0.1.20')
  })

  const userAgentOf = (userAgent?: string): string | null =>
    callerReader([], { isWaiting: () => true, isInTime: () => true, noteProgress: () => undefined })(
      call({ peer: '192.0.2.1', ...(userAgent !== undefined && { userAgent }) }),
    ).userAgent

  it('has no user agent where the caller sent none', () => {
    expect(userAgentOf()).to.equal(null)
    expect(userAgentOf('')).to.equal(null)
    expect(userAgentOf('\u0080\u009f')).to.equal(null)
  })

  it('keeps a user agent as it is', () => {
    expect(userAgentOf('Mozilla/5.0 (X11; Linux) "quoted" é')).to.equal('Mozilla/5.0 (X11; Linux) "quoted" é')
  })

  it('keeps 512 characters of it', () => {
    expect(userAgentOf('x'.repeat(512))).to.have.length(512)
    expect(userAgentOf('x'.repeat(10_000))).to.have.length(512)
  })

  it('keeps no control characters of it', () => {
    expect(userAgentOf('a\r\nb\tc\u001b[31md\u0085e\u009b\0f')).to.equal('abc[31mdef')
  })
})
