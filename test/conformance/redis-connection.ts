// What every connection to Redis carries, whichever shape Redis comes in: the suite that all of them pass.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { attemptCounters } from '../../src/store/redis/attempt-counters.ts'
import type { RedisConnection } from '../../src/store/redis/connection/redis-connection.ts'
import type { Script } from '../../src/store/redis/redis-commands.ts'
import { eventually } from '../support/service/environment.ts'
import { recordingLog } from '../support/fakes/recording-log.ts'
import { toldBy, untilConnected } from '../support/stores/told.ts'

export interface Scripts {
  countKeys(keys: number, ...keysAndValues: string[]): Promise<[number, string]>
  read(keys: number, key: string): Promise<string | null>
}

/** One in the slot of each name; three names are on three masters of a cluster mostly, thirty surely on all. */
const NAMES = Array.from({ length: 30 }, (_, index) => `name-${index}`)

const LAST_KEY: Script = { name: 'lastKey', lua: 'return {#KEYS, KEYS[#KEYS], ARGV[1]}' }
/** What a replica says, in two versions of Redis. */
const READ_ONLY = [
  "READONLY You can't write against a read only replica.",
  "ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.",
]

/** `connect` makes a connection of its own each time. */
export function redisConnectionConformance(connect: (prefix?: string) => RedisConnection): void {
  let connection: RedisConnection

  beforeEach(async () => {
    connection = connect()
    await untilConnected(connection)
  })
  afterEach(() => {
    connection.close()
  })

  it('carries many commands at once, each to where its keys are', async () => {
    const { client } = connection

    await Promise.all(NAMES.map(async (name) => await client.set(`{${name}}:a`, name, 'PX', 60_000)))
    const found = await Promise.all(
      NAMES.map(async (name) => await client.mget(`{${name}}:a`, `{${name}}:b`)),
    )

    expect(found).to.deep.equal(NAMES.map((name) => [name, null]))
  })

  it('carries scripts with any number of keys, among other commands', async () => {
    const { client } = connection
    client.defineCommand('countKeys', { lua: 'return {#KEYS, KEYS[#KEYS]}' })
    const scripts = client as unknown as Scripts

    const answers = await Promise.all(
      NAMES.flatMap((name) => [
        client.exists(name),
        scripts.countKeys(2, `{${name}}:a`, `{${name}}:b`, 'value'),
        scripts.countKeys(1, name),
      ]),
    )

    expect(answers).to.deep.equal(NAMES.flatMap((name) => [0, [2, `{${name}}:b`], [1, name]]))
  })

  it('carries what the denylist asks, with any number of keys', async () => {
    const { commands } = connection

    await Promise.all(
      NAMES.map(async (name) => {
        await commands.set(`{${name}}:a`, name, 59_999.5)
      }),
    )
    const ask = async () =>
      await Promise.all(
        NAMES.flatMap((name) => [
          commands.mget([`{${name}}:a`, `{${name}}:none`]),
          commands.run({ script: LAST_KEY, keys: [`{${name}}:a`, `{${name}}:b`], args: [1] }),
          commands.run({ script: LAST_KEY, keys: [name], args: ['value'] }),
        ]),
      )
    const first = await ask()
    const again = await ask()
    const msLeft = await connection.client.pttl('{name-0}:a')

    expect(first).to.deep.equal(
      NAMES.flatMap((name) => [
        [name, null],
        [2, `{${name}}:b`, '1'],
        [1, name, 'value'],
      ]),
    )
    expect(again).to.deep.equal(first)
    expect(msLeft).to.be.within(1, 60_000)
  })

  it('sends the text of a script once, and then many of them as one batch to each node', async () => {
    const { commands } = connection
    const run = async () => await Promise.all(NAMES.map(async (name) => await commands.run(call(name))))
    const call = (name: string) => ({ script: LAST_KEY, keys: [name], args: [] })
    await run()
    const batches: string[] = []
    for (const master of connection.masters()) {
      const { stream } = master as unknown as { stream: { write: (data: string | Buffer) => boolean } }
      const write = stream.write.bind(stream)
      stream.write = (data) => {
        batches.push(data.toString())
        return write(data)
      }
    }

    await run()
    const scripts = batches.filter((batch) => batch.toLowerCase().includes('evalsha'))

    expect(scripts).to.have.length(connection.masters().length)
    expect(batches.join('')).to.not.contain(LAST_KEY.lua)
  })

  it('reads a stream, and waits for what is not there yet', async () => {
    const { client, commands } = connection
    const writing = connect()
    await untilConnected(writing)
    const key = '{stream}:of-events'
    const first = String(await client.xadd(key, '*', 'a', '1'))
    const waiting = commands.readStream(key, { after: first, count: 10, blockMs: 200 })
    const second = String(await writing.client.xadd(key, '*', 'b', '2'))
    writing.close()

    const all = await commands.readStream(key, { after: '0-0', count: 1, blockMs: 0 })
    const none = await commands.readStream('{stream}:none', { after: '0-0', count: 1, blockMs: 10 })
    await client.del(key)

    expect(await waiting).to.deep.equal([[second, ['b', '2']]])
    expect(all).to.deep.equal([[first, ['a', '1']]])
    expect(none).to.deep.equal([])
  })

  it('puts its prefix before every key, and nowhere else', async () => {
    const prefixed = connect('shop:')
    await untilConnected(prefixed)
    const { client, commands } = prefixed
    const key = '{name-1}:of-shop'

    await commands.set(key, 'value', 60_000)
    const through = await commands.mget([key, '{name-1}:none'])
    const ran = await commands.run({ script: LAST_KEY, keys: [key], args: ['value'] })
    await client.xadd('{name-1}:stream', '*', 'a', '1')
    const read = await commands.readStream('{name-1}:stream', { after: '0-0', count: 1, blockMs: 10 })
    const attempts = attemptCounters(client, recordingLog())
    await attempts.count({ name: 'pair', seconds: 60 }, 'shop')
    const peeked = await attempts.peek({ name: 'pair', seconds: 60 }, 'shop')
    const outside = await connection.client.mget(`shop:${key}`, key)
    const keys = await Promise.all(connection.masters().map(async (master) => await master.keys('*')))
    await client.del(key, '{name-1}:stream')
    await attempts.clear({ name: 'pair', seconds: 60 }, 'shop')
    prefixed.close()

    expect(prefixed.prefix).to.equal('shop:')
    expect(through).to.deep.equal(['value', null])
    expect(ran).to.deep.equal([1, `shop:${key}`, 'value'])
    expect(read.map(([, fields]) => fields)).to.deep.equal([['a', '1']])
    expect(peeked.count).to.equal(1)
    expect(outside).to.deep.equal(['value', null])
    expect(keys.flat().filter((name) => name.startsWith('shop:attempts:pair:'))).to.have.length(1)
  })

  for (const said of READ_ONLY) {
    it(`leaves a server that says "${said.slice(0, 12)}…", tells of the loss, and sends nothing twice`, async () => {
      const told = toldBy(connection)
      const script: Script = {
        name: 'refuse',
        lua: `redis.call('INCR', KEYS[1]) return redis.error_reply(ARGV[1])`,
      }

      const outcome = await connection.commands
        .run({ script, keys: ['{name-2}:runs'], args: [said] })
        .catch((error: unknown) => (error as Error).message)
      await eventually(async () => await Promise.resolve(told.length === 2), 60_000)
      const runs = await connection.client.get('{name-2}:runs')
      await connection.client.del('{name-2}:runs')

      expect(outcome).to.contain('READONLY')
      expect(told).to.deep.equal(['loss', 'ready'])
      expect(runs).to.equal('1')
    })
  }

  it('counts attempts', async () => {
    const attempts = attemptCounters(connection.client, recordingLog())
    const window = { name: 'pair', seconds: 60 }

    const counts = await Promise.all(NAMES.map(async (name) => (await attempts.count(window, name)).count))
    const again = (await attempts.count(window, 'name-0')).count
    const peeked = (await attempts.peek(window, 'name-0')).count
    await Promise.all(
      NAMES.map(async (name) => {
        await attempts.clear(window, name)
      }),
    )

    expect([...new Set(counts), again, peeked]).to.deep.equal([1, 2, 2])
  })

  it('tells nothing of an end on purpose', async () => {
    const told = toldBy(connection)

    connection.close()
    await sleep(50)

    expect(told).to.deep.equal([])
    expect(connection.isReady).to.equal(false)
  })
}
