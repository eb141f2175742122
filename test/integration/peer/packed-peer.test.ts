// The packed tarball in an empty folder, beside the three packages that it needs: it runs, it type-checks, it brings no server.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

const run = promisify(execFile)

const NEEDED = ['jose', 'quick-lru', 'eventsource-parser']

/** What a peer would write. */
const CONSUMER = `
import { createServer, type IncomingMessage } from 'node:http'
import {
  authenticateUpgrade, createVerifier, expressAuth, fastifyAuth, feed, introspection, koaAuth, redis, TokenError,
  type AccessClaims, type SessionEndReason, type TokenErrorCode,
} from 'signoff/peer'
import { fakeSignoff } from 'signoff/peer/testing'

const credentials = { clientId: 'a', clientSecret: 'b' }
const client = { mget: (keys: string[]): Promise<(string | null)[]> => Promise.resolve(keys.map(() => null)) }
export const sources = [feed(credentials), redis({ mget: (keys) => client.mget(keys) }), introspection(credentials)]

const fake = await fakeSignoff()
const verifier = createVerifier({ ...fake.options, onUnknown: 'deny', fetch: globalThis.fetch })
const claims: AccessClaims = await verifier.verify((await fake.mint()).token)
const stop: () => void = verifier.onSessionEnd(claims.sid, (reason: SessionEndReason) => reason)
export const middleware = [koaAuth(verifier), expressAuth(verifier), fastifyAuth(verifier)]
createServer().on('upgrade', async (request: IncomingMessage) => {
  const { refusal } = await authenticateUpgrade(verifier, request)
  return refusal?.length
})
export const codeOf = (error: TokenError): TokenErrorCode => error.code
stop()
await verifier.close()
`

const RUNNING = `
import { createVerifier, TokenError } from 'signoff/peer'
import { fakeSignoff } from 'signoff/peer/testing'

const fake = await fakeSignoff()
const verifier = createVerifier(fake.options)
const { token, claims } = await fake.mint()
const isSame = (await verifier.verify(token)).sid === claims.sid
fake.endSession(claims.sid)
const error = await verifier.verify(token).catch((error) => error)
await verifier.close()
console.log(JSON.stringify({ isSame, isTokenError: error instanceof TokenError, code: error.code }))
`

/** Tells of each module that is loaded. */
const LISTENING = `
import { register } from 'node:module'
const hooks = 'import { writeSync } from "node:fs"; export async function load(url, context, next) {' +
  'writeSync(2, "loads " + url + String.fromCharCode(10)); return await next(url, context) }'
register('data:text/javascript,' + encodeURIComponent(hooks))
`

const STRICT = {
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
  types: ['node'],
}

describe('the package in an empty folder', () => {
  let folder: string
  let packed: string[]

  before(async function () {
    this.timeout(300_000)
    folder = await mkdtemp(join(tmpdir(), 'signoff-packed-'))
    const modules = join(folder, 'node_modules')
    await mkdir(modules)
    const { stdout } = await run('npm', [
      ...['pack', '--json', '--ignore-scripts', '--offline', '--pack-destination', folder],
    ])
    const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
    packed = files.map(({ path }) => path)
    await run('tar', ['-xzf', join(folder, filename), '-C', modules])
    await run('mv', [join(modules, 'package'), join(modules, 'signoff')])
    for (const name of NEEDED) await symlink(resolve('node_modules', name), join(modules, name))
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  })
  after(async () => {
    await rm(folder, { recursive: true })
  })

  it('holds what was built, and neither sources nor tests nor what the compiler keeps', () => {
    expect(packed).to.include.members([
      'package.json',
      'dist/main.js',
      'dist/peer/index.js',
      'dist/peer/index.d.ts',
    ])
    expect(
      packed.filter((path) => !/^(package\.json|LICENSE|README\.md|dist\/.+(\.js|\.d\.ts))$/.test(path)),
    ).to.deep.equal([])
    const declared = packed.filter((path) => path.endsWith('.d.ts'))
    expect(declared.filter((path) => !/^dist\/(peer|contract|remote)\//.test(path))).to.deep.equal([])
  })

  it('verifies a token of its fake, and loads its packages and what is for peers', async () => {
    await writeFile(join(folder, 'running.mjs'), RUNNING)
    await writeFile(join(folder, 'listening.mjs'), LISTENING)

    const { stdout, stderr } = await run(process.execPath, ['--import', './listening.mjs', 'running.mjs'], {
      cwd: folder,
    })

    expect(JSON.parse(stdout)).to.deep.equal({ isSame: true, isTokenError: true, code: 'token_denied' })
    const loaded = [...stderr.matchAll(/^loads (.+)$/gm)].map(([, url = '']) => url)
    expect(loaded.filter((url) => url.includes('/signoff/dist/peer/'))).not.to.be.empty
    const isExpected =
      /\/(running|listening)\.mjs$|\/signoff\/dist\/(peer|contract|remote)\/|\/node_modules\/(jose|quick-lru|eventsource-parser)\//
    expect(loaded.filter((url) => !isExpected.test(url))).to.deep.equal([])
  })

  for (const settings of [
    // Once without and once with what browsers declare.
    { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2022'] },
    { module: 'esnext', moduleResolution: 'bundler' },
  ]) {
    it(`type-checks with ${settings.moduleResolution}, the declarations included`, async function () {
      this.timeout(300_000)
      const modules = join(folder, 'node_modules')
      await mkdir(join(modules, '@types'), { recursive: true })
      for (const name of ['@types/node', 'undici-types']) {
        await symlink(resolve('node_modules', name), join(modules, name)).catch(() => undefined)
      }
      await writeFile(join(folder, 'consumer.ts'), CONSUMER)
      const compilerOptions = { ...settings, ...STRICT }
      await writeFile(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions, files: ['consumer.ts'] }),
      )

      const said = await run(process.execPath, [
        resolve('node_modules/typescript/bin/tsc'),
        '-p',
        folder,
      ]).catch((error: unknown) => error as { stdout: string })

      expect(said.stdout).to.equal('')
    })
  }

  it('offers nothing else for import', async () => {
    const script = `await import('signoff/dist/main.js')`
    const error: unknown = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
    }).catch((error: unknown) => error)

    expect((error as { stderr: string }).stderr).to.include('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })
})
