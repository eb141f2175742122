// Signing keys that change under load: two instances, one with a copy of the file, and all who take their tokens.
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { generateKeys } from '../../src/commands/keys.ts'
import { addUser } from '../support/service/add-user.ts'
import { eventually, loggedInAt } from '../support/service/environment.ts'
import { keyConsumers, type KeyConsumers } from '../support/clients/key-consumers.ts'
import { keyTraffic, type KeyTraffic } from '../support/clients/key-traffic.ts'
import { addedPeer } from '../support/clients/peer.ts'
import { testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { stopAll, untilAllReady } from '../support/service/several-instances.ts'
import { runSignoff, startSignoff, type Signoff } from '../support/service/signoff.ts'

const ISSUER = 'https://signoff.test'
const ROTATIONS = 4
/** Keys are read again after a tenth of a second, and kept for half of one: a slow machine has many times as long. */
const PUBLISH_SECONDS = 30
const KEYS_KEPT_MS = 500
const SETTINGS = { ISSUER, ACCESS_TOKEN_TTL: '10', LEEWAY: '1' }
const SHORT_POLL = `data:text/javascript,${encodeURIComponent(`
  import fs from 'node:fs'
  import { syncBuiltinESMExports } from 'node:module'
  const { watchFile } = fs
  fs.watchFile = (file, options, listener) => watchFile(file, { ...options, interval: 100 }, listener)
  syncBuiltinESMExports()`)}`

describe('signoff keys rotate, at two instances under load', function () {
  this.timeout(180_000)
  let directory: string
  let database: TestDatabase
  let redis: TestRedis
  let instances: Signoff[]
  let consumers: KeyConsumers[]
  let traffic: KeyTraffic

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signoff-rotate-'))
    ;[database, redis] = await Promise.all([testDatabase(), testRedis()])
    await generateKeys({ signingKeysFile: file('keys'), refreshKeyFile: file('refresh') })
    await copyFile(file('keys'), file('copy'))
    const [one, other] = [await start('keys'), await start('copy')]
    instances = [one, other]
    await addUser(database, 'alice')
    await untilAllReady(instances)
    const [atOne, atOther] = await Promise.all([consumersOf(one), consumersOf(other)])
    consumers = [atOne, atOther]
    const pair = await loggedInAt(one)
    traffic = keyTraffic(
      [
        { signoff: one, consumers: atOther },
        { signoff: other, consumers: atOne },
      ],
      pair.refresh,
    )
  })
  after(async () => {
    await traffic.stop()
    await Promise.all(
      consumers.map(async (each) => {
        await each.close()
      }),
    )
    await stopAll(instances)
    await Promise.all([redis.remove(), database.drop()])
    await rm(directory, { recursive: true, force: true })
  })

  const file = (name: string): string => join(directory, name)
  const start = async (keys: string): Promise<Signoff> =>
    await startSignoff({
      databaseUrl: database.url,
      redisUrl: redis.url,
      env: { ...SETTINGS, SIGNING_KEYS_FILE: file(keys), REFRESH_KEY_FILE: file('refresh') },
      preload: ['--import', SHORT_POLL],
    })
  const consumersOf = async (at: Signoff): Promise<KeyConsumers> => {
    const peer = await addedPeer(at, database, `shop-${at.pid}`)
    return await keyConsumers({ issuer: ISSUER, at, peer, keysKeptMs: KEYS_KEPT_MS })
  }
  const published = async (at: Signoff): Promise<string[]> => {
    const { json } = await at.call('/.well-known/jwks.json', { method: 'GET' })
    return (json as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
  }
  const rotate = async (): Promise<string> => {
    const { stdout } = await runSignoff(
      ['keys', 'rotate', '--json', '--publish-seconds', String(PUBLISH_SECONDS)],
      { env: { ...SETTINGS, SIGNING_KEYS_FILE: file('keys') } },
    )
    await copyFile(file('keys'), file('copy'))
    return (JSON.parse(stdout) as { kid: string }).kid
  }

  it('has each key published, then signing, then gone, and nobody refuses a token that is alive', async () => {
    const added: string[] = []
    await eventually(() => traffic.kids.length > 0)
    for (let count = 0; count < ROTATIONS; count += 1) {
      const kid = await rotate()
      added.push(kid)
      // One is published everywhere while the one before it still signs: they come faster than they are due.
      await eventually(async () =>
        (await Promise.all(instances.map(published))).every((kids) => kids.includes(kid)),
      )
    }
    await eventually(() => traffic.kids.includes(added.at(-1) ?? ''))
    await eventually(async () =>
      (await Promise.all(instances.map(published))).every((kids) => kids.length === 1),
    )
    await traffic.stop()

    expect(traffic.refusals).to.deep.equal([])
    expect(traffic.kids.filter((kid) => !added.includes(kid))).to.have.length(1)
    expect(await Promise.all(instances.map(published))).to.deep.equal([added.slice(-1), added.slice(-1)])
    expect(traffic.answers).to.have.all.keys(
      'refresh',
      'signoff/peer',
      'jose',
      'introspection',
      '/auth/check',
    )
    for (const [by, answers] of Object.entries(traffic.answers)) expect(answers[200], by).to.be.above(20)
    for (const { log } of instances) {
      expect(log.filter(({ msg }) => String(msg).includes('keys are gone'))).to.deep.equal([])
    }
  })

  it('keeps serving with the keys in use where the file is broken, and says so', async () => {
    const [one] = instances
    if (!one) throw new Error('no instance')
    const before = await published(one)

    await rm(file('keys'))

    await eventually(() =>
      one.log.some(({ msg }) => String(msg).startsWith('the signing keys cannot be read')),
    )
    expect(await published(one)).to.deep.equal(before)
  })
})
