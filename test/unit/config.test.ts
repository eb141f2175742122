// The settings: what each one is by default, and everything that is wrong, at once.
import { expect } from 'chai'
import { readConfig, readServeConfig } from '../../src/config.ts'
import { ConfigError } from '../../src/settings/config-error.ts'
import { problemsBy } from '../support/service/config-problems.ts'

const problemsOf = (env: NodeJS.ProcessEnv): readonly string[] => problemsBy(() => readConfig(env))

const DEFAULTS = {
  PORT: 8443,
  HOST: '::',
  ADMIN_HOST: '127.0.0.1',
  ADMIN_PORT: 9464,
  SHUTDOWN_DELAY: 0,
  DATA_DIR: '.signoff',
  DATABASE_POOL_SIZE: 20,
  TLS: 'on',
  ISSUER: 'https://localhost:8443',
  AUDIENCE: 'signoff',
  ACCESS_TOKEN_TTL: 300,
  REFRESH_TOKEN_TTL: 86_400,
  SESSION_MAX_AGE: 2_592_000,
  MAX_SESSIONS_PER_USER: 100,
  REFRESH_ROTATION: 'off',
  REDIS_PREFIX: '',
  ROTATION_GRACE: 60,
  LEEWAY: 5,
  DENYLIST_LEASE: 5,
  LOG_RETENTION: 7_776_000,
  ACCESS_TOKEN_ALG: 'ES256',
  FOREIGN_TOKEN_MAX_AGE: 2_678_400,
  REGISTRATION: 'closed',
  ALLOWED_ORIGINS: [],
  ROLES: ['user', 'admin'],
  SESSION_COOKIE_SAMESITE: 'lax',
  GATEWAY_COOKIE: 'off',
  TRUST_PROXY: [],
  MAX_CONNECTIONS_PER_ADDRESS: 1000,
}

describe('readConfig', () => {
  it('has these settings where the environment has none', () => {
    expect(readConfig({})).to.deep.equal(DEFAULTS)
  })

  it('takes an empty value for none', () => {
    const names = [
      ...Object.keys(DEFAULTS),
      'DATABASE_URL',
      'REDIS_URL',
      'TLS_CERT_FILE',
      'SECRET_KEY',
      'TRUSTED_ISSUERS',
      'LOG_LEVEL',
    ]

    expect(readConfig(Object.fromEntries(names.map((name) => [name, ''])))).to.deep.equal(DEFAULTS)
  })

  it('leaves alone what is not its own', () => {
    expect(readConfig({ PATH: '/bin', signoff: 'x', port: '1' })).to.deep.equal(DEFAULTS)
  })

  it('takes the issuer to be on the port that is listened on', () => {
    expect(readConfig({ PORT: '9443' }).ISSUER).to.equal('https://localhost:9443')
    expect(readConfig({ PORT: '9443', ISSUER: 'https://a.example' }).ISSUER).to.equal('https://a.example')
    expect(readConfig({ PORT: '0' }).ISSUER).to.equal('https://localhost:8443')
  })

  it('takes roles that have user among them, and names that are safe in a token', () => {
    expect(readConfig({ ROLES: 'user, a:b' }).ROLES).to.deep.equal(['user', 'a:b'])
    for (const ROLES of ['admin', 'user,a b']) expect(() => readConfig({ ROLES })).to.throw(/ROLES/)
  })

  it('cannot be changed', () => {
    const config = readConfig({})

    expect(() => Object.assign(config, { PORT: 1 })).to.throw(TypeError)
  })

  const taken: { name: string; value: string; means: unknown }[] = [
    { name: 'PORT', value: '0', means: 0 },
    { name: 'ADMIN_PORT', value: '65535', means: 65_535 },
    { name: 'ADMIN_PORT', value: '0', means: 0 },
    { name: 'HOST', value: '127.0.0.1', means: '127.0.0.1' },
    { name: 'ADMIN_HOST', value: '10.0.0.7', means: '10.0.0.7' },
    { name: 'SHUTDOWN_DELAY', value: '30', means: 30 },
    { name: 'DATABASE_URL', value: 'postgres://u:p@h:5432/d', means: 'postgres://u:p@h:5432/d' },
    { name: 'DATABASE_URL', value: 'postgresql://h/d', means: 'postgresql://h/d' },
    { name: 'REDIS_URL', value: 'redis://h:6379/1', means: 'redis://h:6379/1' },
    { name: 'REDIS_PREFIX', value: 'shop:eu/', means: 'shop:eu/' },
    { name: 'REDIS_PREFIX', value: 'x'.repeat(64), means: 'x'.repeat(64) },
    { name: 'REDIS_URL', value: 'rediss://:p@h', means: 'rediss://:p@h' },
    { name: 'REDIS_URL', value: 'redis+cluster://a:1,b:2', means: 'redis+cluster://a:1,b:2' },
    { name: 'REDIS_URL', value: 'rediss+sentinel://a,b/main', means: 'rediss+sentinel://a,b/main' },
    { name: 'TLS', value: 'off', means: 'off' },
    { name: 'ISSUER', value: 'https://auth.example.com/', means: 'https://auth.example.com' },
    { name: 'ISSUER', value: 'https://example.com/auth//', means: 'https://example.com/auth' },
    { name: 'ISSUER', value: 'http://localhost:8080', means: 'http://localhost:8080' },
    { name: 'AUDIENCE', value: 'peers', means: 'peers' },
    { name: 'ACCESS_TOKEN_TTL', value: '1', means: 1 },
    { name: 'REFRESH_TOKEN_TTL', value: '31536000', means: 31_536_000 },
    { name: 'SESSION_MAX_AGE', value: '1', means: 1 },
    { name: 'SESSION_MAX_AGE', value: '31536000', means: 31_536_000 },
    { name: 'REFRESH_ROTATION', value: 'on', means: 'on' },
    { name: 'ROTATION_GRACE', value: '0', means: 0 },
    { name: 'ROTATION_GRACE', value: '300', means: 300 },
    { name: 'REGISTRATION', value: 'open', means: 'open' },
    { name: 'TRUSTED_ISSUERS', value: 'issuers.json', means: 'issuers.json' },
    { name: 'LEEWAY', value: '0', means: 0 },
    { name: 'DENYLIST_LEASE', value: '3', means: 3 },
    { name: 'LOG_RETENTION', value: '60', means: 60 },
    { name: 'FOREIGN_TOKEN_MAX_AGE', value: '60', means: 60 },
    { name: 'FOREIGN_TOKEN_MAX_AGE', value: '315360000', means: 315_360_000 },
    { name: 'SECRET_KEY', value: 'k'.repeat(32), means: 'k'.repeat(32) },
    { name: 'SECRET_KEY', value: 'ä'.repeat(16), means: 'ä'.repeat(16) },
    {
      name: 'ALLOWED_ORIGINS',
      value: ' https://a.example , http://localhost:3000,',
      means: ['https://a.example', 'http://localhost:3000'],
    },
    { name: 'ALLOWED_ORIGINS', value: ' , ', means: [] },
    {
      name: 'ALLOWED_ORIGINS',
      value: 'capacitor://localhost,https://*.example.com',
      means: ['capacitor://localhost', 'https://*.example.com'],
    },
    {
      name: 'TRUST_PROXY',
      value: 'loopback, 10.0.0.0/8,2001:db8::7, uniquelocal,192.0.2.0/255.255.255.0',
      means: ['loopback', '10.0.0.0/8', '2001:db8::7', 'uniquelocal', '192.0.2.0/255.255.255.0'],
    },
    { name: 'SESSION_COOKIE_SAMESITE', value: 'strict', means: 'strict' },
    { name: 'SESSION_COOKIE_SAMESITE', value: 'none', means: 'none' },
    { name: 'LOG_LEVEL', value: 'debug', means: 'debug' },
  ]
  for (const { name, value, means } of taken) {
    it(`takes ${name}=${value}`, () => {
      expect(readConfig({ [name]: value })).to.deep.equal({ ...DEFAULTS, [name]: means })
    })
  }

  const refused: Record<string, string[]> = {
    PORT: ['-1', '65536', '8443.0', '0x10', '1e3', ' 1', 'https', '٣'],
    ADMIN_PORT: ['65536', 'x'],
    SHUTDOWN_DELAY: ['601', '-1', '5s'],
    DATABASE_URL: ['localhost', 'mysql://h/d', 'redis://h', 'postgres'],
    REDIS_URL: ['localhost:6379', 'http://h', 'postgres://h/d', 'redis://', 'redis+sentinel://h'],
    REDIS_PREFIX: ['a b', '{a}', 'a*', 'a?', '[a', 'a\\', 'é', 'x'.repeat(65)],
    TLS: ['yes', 'ON', 'true'],
    ISSUER: [
      'localhost',
      'ftp://h',
      'signoff',
      'https://*.example.com',
      'https://%2A.example.com',
      'https://*/a',
    ],
    ACCESS_TOKEN_TTL: ['0', '86401', '-5', '300s'],
    REFRESH_TOKEN_TTL: ['0', '31536001'],
    SESSION_MAX_AGE: ['0', '31536001', '30d'],
    REFRESH_ROTATION: ['true', 'ON', '1'],
    ROTATION_GRACE: ['-1', '301', '1.5'],
    REGISTRATION: ['on', 'Open'],
    TRUST_PROXY: [
      '*',
      '1',
      '10.1',
      'true',
      'proxy.example',
      'LOOPBACK',
      'constructor',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/255.0.255.0',
      '0.0.0.0/0',
      '::/0',
      '10.0.0.1:443',
      'fe80::1%eth0',
      '10.0.0.0/8 10.0.0.1',
    ],
    LEEWAY: ['301', '-1'],
    DENYLIST_LEASE: ['2', '61'],
    LOG_RETENTION: ['59', '315360001'],
    FOREIGN_TOKEN_MAX_AGE: ['59', '315360001', '-1', 'never'],
    ACCESS_TOKEN_ALG: ['none', 'RS256', 'es256'],
    SECRET_KEY: ['k'.repeat(31)],
    ALLOWED_ORIGINS: [
      '*',
      'a.example',
      'https://a.example/',
      'https://a.example/app',
      'https://a.example,*',
      'null',
      'https://*',
      'https://app-*.example.com',
      'https://A.example',
      'capacitor://localhost/',
      'https://a.example,https://b.example/',
    ],
    SESSION_COOKIE_SAMESITE: ['Lax', 'NONE', 'off', 'unset'],
    LOG_LEVEL: ['verbose', 'INFO'],
  }
  for (const [name, values] of Object.entries(refused)) {
    for (const value of values) {
      it(`refuses ${name}=${value}, by name`, () => {
        const [problem, ...others] = problemsOf({ [name]: value })

        expect(problem).to.match(new RegExp(`^${name}: `))
        expect(others).to.deep.equal([])
      })
    }
  }

  it('names the proxies that it cannot use, and those alone', () => {
    expect(problemsOf({ TRUST_PROXY: '10.0.0.1, nginx, loopback, 10.0.0.0/99' })).to.deep.equal([
      'TRUST_PROXY: addresses, ranges, loopback, linklocal, uniquelocal are expected, not nginx, 10.0.0.0/99',
    ])
  })

  it('says why it takes no * for an origin', () => {
    expect(problemsOf({ ALLOWED_ORIGINS: 'https://a.example,*' })).to.deep.equal([
      'ALLOWED_ORIGINS: * is refused, as credentials are sent: list the origins',
    ])
  })

  it('names the origins that can never match, and those alone', () => {
    const [problem] = problemsOf({ ALLOWED_ORIGINS: 'https://a.example, https://*, tauri://localhost,x' })

    expect(problem).to.match(/such as .*https:\/\/\*\.example\.com.* not https:\/\/\*, x$/)
  })

  it('never repeats a secret in what it says is wrong', () => {
    const env = {
      SECRET_KEY: 'hunter2',
      DATABASE_URL: 'mysql://user:hunter2@host/d',
      REDIS_URL: 'redis://:hunter2@h:port',
    }

    expect(problemsOf(env)).to.have.length(3)
    expect(problemsOf(env).join()).not.to.include('hunter2')
  })

  it('tells all that is wrong at once, what hangs together included', () => {
    const problems = problemsOf({
      PORT: 'x',
      LEEWAY: '-1',
      REDIS_URL: 'x',
      ACCESS_TOKEN_ALG: 'HS256',
      TLS_CERT_FILE: 'cert.pem',
    })

    expect(problems.map((problem) => problem.split(':')[0])).to.have.members([
      'PORT',
      'LEEWAY',
      'REDIS_URL',
      'SECRET_KEY',
      'TLS_CERT_FILE and TLS_KEY_FILE',
    ])
  })

  it('shows every problem in its message, a line each', () => {
    const error = new ConfigError(['A: is wrong', 'B: is needed'])

    expect(error.message).to.equal('The settings are not usable:\n  - A: is wrong\n  - B: is needed')
  })

  it('asks for a secret with HS256, and for none with ES256', () => {
    const problem = 'SECRET_KEY: is needed with ACCESS_TOKEN_ALG=HS256'

    expect(problemsOf({ ACCESS_TOKEN_ALG: 'HS256' })).to.deep.equal([problem])
    expect(problemsOf({ ACCESS_TOKEN_ALG: 'HS256', SECRET_KEY: '' })).to.deep.equal([problem])
    expect(problemsOf({ ACCESS_TOKEN_ALG: 'HS256', SECRET_KEY: 'k'.repeat(32) })).to.deep.equal([])
    expect(problemsOf({ ACCESS_TOKEN_ALG: 'ES256' })).to.deep.equal([])
  })

  it('takes a certificate with its key, and neither alone', () => {
    const problem = 'TLS_CERT_FILE and TLS_KEY_FILE: set both or none'

    expect(problemsOf({ TLS_CERT_FILE: 'c' })).to.deep.equal([problem])
    expect(problemsOf({ TLS_KEY_FILE: 'k', TLS_CERT_FILE: '' })).to.deep.equal([problem])
    expect(problemsOf({ TLS_CERT_FILE: 'c', TLS_KEY_FILE: 'k' })).to.deep.equal([])
  })
})

describe('readServeConfig', () => {
  const complete = {
    DATABASE_URL: 'postgres://h/d',
    REDIS_URL: 'redis://h',
    SIGNING_KEYS_FILE: 's',
    REFRESH_KEY_FILE: 'r',
    TLS_CERT_FILE: 'c',
    TLS_KEY_FILE: 'k',
  }
  const problemsOf = (env: Record<string, string>): readonly string[] => {
    try {
      readServeConfig(env)
      return []
    } catch (error) {
      if (error instanceof ConfigError) return error.problems
      throw error
    }
  }

  it('takes what is complete', () => {
    expect(problemsOf(complete)).to.deep.equal([])
    expect(readServeConfig(complete)).to.include(complete)
  })

  it('tells of all that is missing', () => {
    expect(problemsOf({})).to.deep.equal(Object.keys(complete).map((name) => `${name}: is needed`))
  })

  it('tells what is missing and what is wrong in one list', () => {
    const problems = problemsOf({ ...complete, REDIS_URL: '', PORT: 'http', REGISTRATION: 'yes' })

    expect(problems).to.deep.equal([
      'REDIS_URL: is needed',
      'PORT: a whole number is expected',
      'REGISTRATION: open or closed is expected',
    ])
  })

  it('needs no certificate when a proxy does the TLS', () => {
    const rest = { ...complete, TLS_CERT_FILE: '', TLS_KEY_FILE: '' }

    expect(problemsOf({ ...rest, TLS: 'off' })).to.deep.equal([])
    expect(problemsOf(rest)).to.deep.equal(['TLS_CERT_FILE: is needed', 'TLS_KEY_FILE: is needed'])
  })
})
