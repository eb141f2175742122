// The process: how it starts, refuses to start, stops, and what the commands beside it do.
import { spawn } from 'node:child_process'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import { expect } from 'chai'
import { developmentCertificate } from '../../src/embedded/certificate.ts'
import {
  eventually,
  untilReady,
  PASSWORD,
  statusAndBody,
  testEnvironment,
  type TestEnvironment,
  loggedInAt,
} from '../support/service/environment.ts'
import { HANGING_MS } from '../support/clients/hanging.ts'
import { browserClient } from '../support/clients/browser-client.ts'
import { emptyDatabase, ownPostgres } from '../support/servers/postgres.ts'
import { signalTree } from '../support/servers/process-tree.ts'
import { freePort } from '../../src/embedded/process/free-port.ts'
import { testRedis } from '../support/servers/redis.ts'
import { runSignoff, startSignoff } from '../support/service/signoff.ts'
import { askedAgain, untilAnswered } from '../support/service/until-answered.ts'

describe('signoff serve', () => {
  let env: TestEnvironment

  beforeEach(async () => {
    env = await testEnvironment()
  })
  afterEach(async () => {
    await env.stop()
  })

  it('finishes what is in flight after SIGTERM, takes nothing new, and exits 0', async () => {
    const inFlight = Promise.all(
      Array.from({ length: 20 }, () =>
        env.firstAnswers.post('/auth/login/', { username: 'alice', password: PASSWORD }),
      ),
    )
    await eventually(async () => (await env.database.sql('SELECT 1 FROM user_sessions LIMIT 1')).length > 0)
    env.signoff.kill('SIGTERM')

    const answers = await inFlight
    const status = await env.signoff.exited
    const refused = await env.signoff.call('/healthz', { method: 'GET' }).catch((error: unknown) => error)

    // All of them are answered; on a slow machine some wait too long for the row of their user.
    for (const answer of answers) expect(answer.status).to.be.oneOf([200, 503])
    expect(status).to.equal(0)
    expect(refused).to.be.an('error')
  })

  it('exits 0 within its deadline though a caller never ends its request', async () => {
    const { port } = new URL(env.signoff.url)
    const socket: TLSSocket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    socket.write('POST /auth/login/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{')

    env.signoff.kill('SIGTERM')

    expect(await env.signoff.exited).to.equal(0)
  })

  it('takes a new certificate into use without a restart', async () => {
    const { port } = new URL(env.signoff.url)
    const before = await fingerprint(Number(port))

    await rm(env.signoff.files.certFile)
    await developmentCertificate(env.signoff.files.directory)

    await eventually(async () => (await fingerprint(Number(port))) !== before)
  })
})

describe('signoff serve without its stores', () => {
  it('answers 503 with Retry-After while Postgres is away, and shuts the session all the same', async () => {
    const [postgres, redis] = await Promise.all([ownPostgres(), testRedis()])
    const signoff = await startSignoff({ databaseUrl: postgres.url, redisUrl: redis.url })
    await runSignoff(['user', 'add', 'alice'], { env: { DATABASE_URL: postgres.url }, input: PASSWORD })
    await eventually(async () => (await signoff.call('/readyz', { method: 'GET' })).status === 200)
    const login = { username: 'alice', password: PASSWORD }
    const { refresh } = await loggedInAt(signoff)

    await postgres.stop()
    const [loggedIn, loggedOut, refreshed, ready] = await Promise.all([
      signoff.post('/auth/login/', login),
      signoff.post('/auth/logout/', { refresh_token: refresh }),
      signoff.post('/auth/token/refresh/', { refresh: refresh }),
      signoff.call('/readyz', { method: 'GET' }),
    ])

    const detail = 'Service temporarily unavailable, try again later.'
    expect(statusAndBody(loggedIn)).to.deep.equal({ status: 503, body: { detail } })
    expect(statusAndBody(loggedOut)).to.deep.equal({ status: 503, body: { error: detail } })
    for (const answer of [loggedIn, loggedOut, ready]) expect(answer.headers['retry-after']).to.equal('1')
    expect(ready.json).to.deep.include({
      checks: { postgres: 'does not answer', redis: 'ok', denylist: 'ok', clock: 'ok' },
    })
    // Either before or after Redis was told of the logout that could not be made durable.
    expect(refreshed.status).to.be.oneOf([200, 401])
    const late = await signoff.post('/auth/token/refresh/', { refresh })
    expect(late.status).to.equal(401)

    await signoff.stop()
    await Promise.all([postgres.remove(), redis.remove()])
  })

  it('is told apart in every dialect: try again later, and nothing has changed', async () => {
    const [postgres, redis] = await Promise.all([ownPostgres(), testRedis()])
    const signoff = await startSignoff({ databaseUrl: postgres.url, redisUrl: redis.url })
    await runSignoff(['user', 'add', 'alice'], { env: { DATABASE_URL: postgres.url }, input: PASSWORD })
    await untilReady(signoff)
    const page = browserClient(signoff)
    const login = { username: 'alice', password: PASSWORD }
    const session = await untilAnswered(async () => await page.call('/auth/session', { json: login }))
    const { csrf_token } = session.json as { csrf_token: string }
    const pair = (await askedAgain(signoff).post('/api/v1/auth/login', login)).json as Record<string, string>
    const csrf = { headers: { 'X-CSRF-Token': csrf_token } }
    const bearer = { headers: { Authorization: `Bearer ${String(pair['access_token'])}` } }

    await postgres.stop()
    const [browserRefresh, browserLogout, v1Refresh, v1Logout, bearerLogout] = [
      await page.call('/auth/session/refresh', csrf),
      await page.call('/auth/logout', csrf),
      await signoff.post('/api/v1/auth/refresh', { refresh_token: pair['refresh_token'] }),
      await signoff.call('/api/v1/auth/logout', bearer),
      await signoff.call('/logout', bearer),
    ]

    const answers = [browserRefresh, browserLogout, v1Refresh, v1Logout, bearerLogout]
    expect(answers.map(({ status }) => status)).to.deep.equal([503, 503, 503, 503, 503])
    for (const { headers } of answers) {
      expect(headers['retry-after']).to.equal('1')
      expect(headers).not.to.have.property('set-cookie')
    }
    for (const { json } of [browserRefresh, browserLogout])
      expect(json).to.include({ error_code: 'UNAVAILABLE' })
    for (const { json } of [v1Refresh, v1Logout])
      expect(json).to.include({ code: 'unavailable', status: 503 })
    expect(bearerLogout.json).to.have.all.keys('error')
    await signoff.stop()
    await Promise.all([postgres.remove(), redis.remove()])
  })

  it('keeps nobody waiting in line while Postgres hangs', async () => {
    const [postgres, redis] = await Promise.all([ownPostgres(), testRedis()])
    const signoff = await startSignoff({ databaseUrl: postgres.url, redisUrl: redis.url })
    await untilReady(signoff)
    const timed = async (username: string) => {
      const start = performance.now()
      const { status } = await signoff.post('/auth/login/', { username, password: PASSWORD })
      return { status, ms: performance.now() - start }
    }

    signalTree(postgres.pid, 'SIGSTOP')
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => await timed(`user-${n % 3}`)),
    )
    signalTree(postgres.pid, 'SIGCONT')
    await signoff.stop()
    await Promise.all([postgres.remove(), redis.remove()])

    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([503]))
    // In a line where each waited for those ahead it would be a minute and more.
    expect(Math.max(...answers.map(({ ms }) => ms))).to.be.below(HANGING_MS)
  })

  it('exits after SIGTERM though Postgres hangs', async () => {
    const [postgres, redis] = await Promise.all([ownPostgres(), testRedis()])
    const signoff = await startSignoff({ databaseUrl: postgres.url, redisUrl: redis.url })
    await Promise.all(Array.from({ length: 20 }, () => signoff.call('/readyz', { method: 'GET' })))

    signalTree(postgres.pid, 'SIGSTOP')
    signoff.kill('SIGTERM')
    const status = await signoff.exited
    signalTree(postgres.pid, 'SIGCONT')

    expect(status).to.equal(0)
    await signoff.stop()
    await Promise.all([postgres.remove(), redis.remove()])
  })

  it('says once why Redis cannot be used', async () => {
    const database = await emptyDatabase('signoff')
    const signoff = await startSignoff({ databaseUrl: database.url, redisUrl: 'redis://127.0.0.1:9' })

    await eventually(() => signoff.log.some(({ level }) => level === 'warn'))
    // It fails to connect again and again, several times a second.
    await new Promise((resolve) => setTimeout(resolve, 1500))

    const warnings = signoff.log.filter(({ level }) => level === 'warn')
    expect(warnings.map(({ msg }) => msg)).to.deep.equal([
      'Redis fails: no answer: is it running, and can it be reached from here? (connect ECONNREFUSED 127.0.0.1:9)',
    ])
    expect(warnings[0]?.['reason']).to.contain('ECONNREFUSED')
    await signoff.stop()
    await database.drop()
  })

  it('serves on when its log cannot be written', async () => {
    const [database, redis] = await Promise.all([emptyDatabase('signoff'), testRedis()])
    const port = await freePort()
    const signoff = await startSignoff({
      databaseUrl: database.url,
      redisUrl: redis.url,
      env: { LOG_LEVEL: 'debug' },
    })
    const keys = {
      TLS: 'off',
      SIGNING_KEYS_FILE: signoff.files.signingKeysFile,
      REFRESH_KEY_FILE: signoff.files.refreshKeyFile,
    }
    const full = await open('/dev/full', 'w')
    const child = spawn(process.execPath, ['dist/main.js', 'serve'], {
      env: {
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        PORT: String(port),
        ADMIN_PORT: '0',
        LOG_LEVEL: 'debug',
        ...keys,
      },
      stdio: ['ignore', full.fd, 'ignore'],
    })
    const health = async () =>
      await fetch(`http://localhost:${port}/healthz`).then(
        (answer) => answer.status,
        () => 0,
      )

    await eventually(async () => (await health()) === 200)
    const statuses = await Promise.all(Array.from({ length: 50 }, health))
    child.kill('SIGTERM')
    const [status] = (await once(child, 'exit')) as [number | null]

    expect(new Set(statuses)).to.deep.equal(new Set([200]))
    expect(status).to.equal(0)
    await full.close()
    await signoff.stop()
    await Promise.all([database.drop(), redis.remove()])
  })

  it('refuses to start with one list of everything that is missing or wrong', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'signoff-'))
    const weak = join(directory, 'weak')
    await writeFile(weak, 'short')

    const bare = await runSignoff(['serve'], { env: { PORT: 'http', LEEWAY: '-1' } })
    const wrong = await runSignoff(['serve'], {
      env: {
        DATABASE_URL: 'postgres://localhost/x',
        REDIS_URL: 'redis://localhost',
        TRUSTED_ISSUERS: join(directory, 'nowhere'),
        SIGNING_KEYS_FILE: weak,
        REFRESH_KEY_FILE: weak,
        TLS_CERT_FILE: weak,
        TLS_KEY_FILE: weak,
      },
    })
    await rm(directory, { recursive: true })

    expect(bare.status).to.equal(2)
    for (const name of ['PORT', 'LEEWAY', 'DATABASE_URL', 'TLS_CERT_FILE'])
      expect(bare.stderr).to.contain(`${name}:`)
    expect(wrong.status).to.equal(2)
    for (const name of [
      'TRUSTED_ISSUERS',
      'SIGNING_KEYS_FILE',
      'REFRESH_KEY_FILE',
      'TLS_CERT_FILE and TLS_KEY_FILE',
    ]) {
      expect(wrong.stderr).to.contain(`${name}:`)
    }
  })

  it('refuses to start on a schema that is behind, and says what to run', async () => {
    const [database, redis] = await Promise.all([emptyDatabase(), testRedis()])

    const failure = await startSignoff({ databaseUrl: database.url, redisUrl: redis.url }).catch(
      (error: unknown) => error,
    )

    expect(failure).to.be.an('error')
    await Promise.all([database.drop(), redis.remove()])
  })
})

const MIGRATIONS = [
  '001-sessions-and-journal',
  '002-one-denial-for-each-id',
  '003-instances-and-locks',
  '004-peers',
  '005-database-identity',
  '006-late-replay',
  '007-instance-settings',
  '008-many-sessions',
  '009-own-claims',
]

describe('the commands', () => {
  it('bring the schema up and down; several at once wait for each other', async () => {
    const database = await emptyDatabase()
    const env = { DATABASE_URL: database.url }

    const racing = await Promise.all([1, 2, 3].map(() => runSignoff(['migrate', '--json'], { env })))
    const status = await runSignoff(['migrate', 'status', '--json'], { env })
    const down = await runSignoff(['migrate', 'down', '--json'], { env })
    const again = await runSignoff(['migrate', 'up'], { env })

    expect(racing.map((result) => result.status)).to.deep.equal([0, 0, 0])
    const applied = racing.flatMap(({ stdout }) => (JSON.parse(stdout) as { applied: string[] }).applied)
    expect(applied).to.deep.equal(MIGRATIONS)
    expect(JSON.parse(status.stdout)).to.deep.equal({ done: MIGRATIONS, pending: [], newer: [] })
    expect(JSON.parse(down.stdout)).to.deep.equal({ undone: MIGRATIONS.slice(-1) })
    expect(again.stdout).to.equal(`applied ${String(MIGRATIONS.at(-1))}\n`)
    await database.drop()
  })

  it('add, list, disable and enable users', async () => {
    const database = await emptyDatabase('signoff')
    const env = { DATABASE_URL: database.url }

    const added = await runSignoff(['user', 'add', 'Bob', '--role', 'admin'], { env, input: `${PASSWORD}\n` })
    const taken = await runSignoff(['user', 'add', 'bOB'], { env, input: PASSWORD })
    const short = await runSignoff(['user', 'add', 'eve'], { env, input: 'short' })
    const disabled = await runSignoff(['user', 'disable', 'bob', '--json'], { env })
    const unknown = await runSignoff(['user', 'disable', 'nobody'], { env })
    const enabled = await runSignoff(['user', 'enable', 'bob'], { env })
    const list = await runSignoff(['user', 'list', '--json'], { env })

    expect(added).to.deep.equal({ status: 0, stdout: 'added Bob\n', stderr: '' })
    expect(taken).to.deep.include({ status: 1, stderr: 'signoff: there is a user bOB already\n' })
    expect(short.status).to.equal(1)
    expect(JSON.parse(disabled.stdout)).to.deep.equal({ username: 'bob', sessionsEnded: 0 })
    expect(unknown).to.deep.include({ status: 1, stderr: 'signoff: there is no user nobody\n' })
    expect(enabled.status).to.equal(0)
    const [bob, ...others] = JSON.parse(list.stdout) as object[]
    expect(bob).to.include({ username: 'Bob', role: 'admin', isActive: true })
    expect(others).to.be.empty
    await database.drop()
  })

  it('explain themselves with --help and exit 2 when used wrongly', async () => {
    const help = await runSignoff(['--help'])
    const subcommand = await runSignoff(['user', 'add', '--help'])
    const peer = await runSignoff(['peer', 'add', '--help'])
    const wrong = await Promise.all(
      [['nonsense'], ['user', 'add'], ['peer', 'remove'], ['migrate', 'sideways'], ['--nonsense']].map(
        (args) => runSignoff(args),
      ),
    )

    expect(help.status).to.equal(0)
    for (const name of ['start', 'serve', 'migrate', 'user', 'keys', 'peer'])
      expect(help.stdout).to.contain(name)
    expect(subcommand.stdout).to.contain('--role')
    expect(peer.stdout).to.contain('--json').and.contain('client_id')
    expect(wrong.map((result) => result.status)).to.deep.equal([2, 2, 2, 2, 2])
  })

  it('say what to set when they find no database', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'signoff-'))

    const result = await runSignoff(['user', 'list'], { env: { DATA_DIR: directory } })

    expect(result.status).to.equal(2)
    expect(result.stderr).to.contain('DATABASE_URL')
    await rm(directory, { recursive: true })
  })
})

async function fingerprint(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}
