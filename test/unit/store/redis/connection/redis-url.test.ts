// REDIS_URL: the forms it takes, and what is said of any other.
import { expect } from 'chai'
import { parseRedisUrl } from '../../../../../src/store/redis/connection/redis-url.ts'

const problemOf = (text: string): string => {
  try {
    parseRedisUrl(text)
    return 'none'
  } catch (error) {
    return (error as Error).message
  }
}

describe('parseRedisUrl', () => {
  const NOBODY = { isTls: false, username: null, password: null }

  const alone: { text: string; means: object }[] = [
    { text: 'redis://h', means: {} },
    { text: 'redis://h/', means: {} },
    { text: 'redis://@h', means: {} },
    { text: 'redis://:@h', means: {} },
    { text: 'redis://h:7000', means: { addresses: [{ host: 'h', port: 7000 }] } },
    { text: 'redis://h/15', means: { database: 15 } },
    { text: 'rediss://h', means: { isTls: true } },
    { text: 'redis://10.0.0.7', means: { addresses: [{ host: '10.0.0.7', port: 6379 }] } },
    { text: 'redis://redis_1.internal', means: { addresses: [{ host: 'redis_1.internal', port: 6379 }] } },
    { text: 'redis://[::1]', means: { addresses: [{ host: '::1', port: 6379 }] } },
    { text: 'redis://[2001:db8::7]:7000', means: { addresses: [{ host: '2001:db8::7', port: 7000 }] } },
    { text: 'redis://:secret@h', means: { password: 'secret' } },
    { text: 'redis://me:secret@h', means: { username: 'me', password: 'secret' } },
    { text: 'redis://m%65:p%40ss%2Fw%3A%25@h', means: { username: 'me', password: 'p@ss/w:%' } },
    { text: 'redis://me:p@ss/w:rd?#@h/2', means: { username: 'me', password: 'p@ss/w:rd?#', database: 2 } },
  ]
  for (const { text, means } of alone) {
    it(`takes ${text}`, () => {
      expect(parseRedisUrl(text)).to.deep.equal({
        shape: 'standalone',
        ...NOBODY,
        addresses: [{ host: 'h', port: 6379 }],
        database: 0,
        ...means,
      })
    })
  }

  it('takes the nodes of a cluster', () => {
    expect(parseRedisUrl('rediss+cluster://me:secret@a:7000,[::1]:7001,c')).to.deep.equal({
      shape: 'cluster',
      isTls: true,
      username: 'me',
      password: 'secret',
      addresses: [
        { host: 'a', port: 7000 },
        { host: '::1', port: 7001 },
        { host: 'c', port: 6379 },
      ],
    })
  })

  it('takes the sentinels and the name of their master', () => {
    expect(parseRedisUrl('redis+sentinel://a,b:7001/main-1')).to.deep.equal({
      shape: 'sentinel',
      ...NOBODY,
      addresses: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 7001 },
      ],
      masterName: 'main-1',
    })
  })

  const refused: Record<string, string[]> = {
    'redis://, redis+cluster:// or redis+sentinel:// is expected, or with TLS rediss://, rediss+cluster:// or rediss+sentinel://':
      ['', 'h', 'h:6379', 'http://h', 'redis:h', 'redis+ha://h', 'cluster+redis://h', ' redis://h'],
    'redis://[user:password@]host:port/database is expected': [
      'redis://',
      'redis:///1',
      'redis://h:',
      'redis://h:0',
      'redis://h:65536',
      'redis://h:x',
      'redis://::1',
      'redis://[h]',
      'redis://[::1',
      'redis://a,b',
      'redis://h/one',
      'redis://h/1/2',
      'redis://h?family=6',
      'redis://secret@h',
      'redis://me:@h',
      'redis://:100%@h',
      'redis://h ',
    ],
    'redis+cluster://[user:password@]host:port,host:port is expected': [
      'redis+cluster://',
      'redis+cluster://a,',
      'redis+cluster://a;b',
      'redis+cluster://a,b/0',
      'rediss+cluster://a, b',
    ],
    'redis+sentinel://[user:password@]host:port,host:port/NAME is expected': [
      'redis+sentinel://a,b',
      'redis+sentinel://a,b/',
      'redis+sentinel://a,b/my master',
      'rediss+sentinel:///main',
    ],
  }
  for (const [problem, texts] of Object.entries(refused)) {
    for (const text of texts) {
      it(`refuses ${JSON.stringify(text)}, and names the form it expected`, () => {
        expect(problemOf(text)).to.equal(problem)
      })
    }
  }
})
