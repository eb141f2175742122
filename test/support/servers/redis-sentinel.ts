// A Redis of the tests' own under Sentinel: a master, a replica that can be cut off, and three sentinels.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../../src/embedded/process/free-port.ts'
import { credentials, testRedis, type TestRedis } from './redis.ts'

export interface TestRedisSentinel {
  url: string
  /** The first began as the master, the other as its replica. */
  servers: TestRedis[]
  sentinels: TestRedis[]
  /** Who the sentinels say is the master. */
  master: () => Promise<TestRedis>
  replica(): Promise<TestRedis>
  /**
   * Ends replication while both servers go on: the replica falls behind, and stays fit to become the master for
   * about ten seconds.
   */
  cutReplica(): Promise<void>
  uncutReplica(): Promise<void>
  /** Waits until the replica follows the master and every sentinel knows of both and of the others. */
  settled: () => Promise<void>
  remove(): Promise<void>
}

const NAME = 'signoff'
const PASSWORD = 'p@ss/w:rd%'
const SENTINELS = 3
const QUORUM = 2
const DOWN_AFTER_MS = 1000
const FAILOVER_TIMEOUT_MS = 5000
const DEADLINE_MS = 50_000

/** The servers have a password, the sentinels none. */
export async function testRedisSentinel(): Promise<TestRedisSentinel> {
  const servers = await Promise.all([testServer(), testServer()])
  const [first, second] = servers
  await second.client.replicaof('127.0.0.1', first.port)
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, async () => await testSentinel(first.port)),
  )
  await settled()

  return {
    url: `redis+sentinel://${credentials({ password: PASSWORD })}${sentinels
      .map(({ port }) => `127.0.0.1:${port}`)
      .join(',')}/${NAME}`,
    servers,
    sentinels,
    master,
    replica,
    cutReplica: async () => {
      // With a password the master refuses, the replica goes on trying, and remains one in everybody's eyes.
      await (await replica()).client.config('SET', 'masterauth', 'cut off')
      await (await master()).client.call('CLIENT', 'KILL', 'TYPE', 'replica')
    },
    uncutReplica: async () => {
      await Promise.all(
        servers.map(
          async ({ client }) => await client.config('SET', 'masterauth', PASSWORD).catch(() => null),
        ),
      )
    },
    settled,
    remove: async () => {
      await Promise.all(
        [...sentinels, ...servers].map(async (server) => {
          await server.remove()
        }),
      )
    },
  }

  async function master(): Promise<TestRedis> {
    const answers = await Promise.all(sentinels.map(async (sentinel) => await masterPort(sentinel)))
    const known = answers.filter((port) => port !== null)
    const port = known.find((candidate) => known.filter((other) => other === candidate).length >= QUORUM)
    const found = servers.find((server) => server.port === port)
    if (!found) throw new Error('the sentinels do not agree on a master')
    return found
  }

  async function replica(): Promise<TestRedis> {
    return (await master()) === first ? second : first
  }

  async function settled(): Promise<void> {
    const deadline = Date.now() + DEADLINE_MS
    while (!(await isSettled().catch(() => false))) {
      if (Date.now() > deadline) throw new Error('the test sentinels do not come together')
      await sleep(50)
    }
  }

  async function isSettled(): Promise<boolean> {
    const replication = await (await replica()).client.info('replication')
    if (!/role:slave/.test(replication) || !/master_link_status:up/.test(replication)) return false
    const views = await Promise.all(sentinels.map(async ({ client }) => await client.info('sentinel')))
    return views.every((view) => new RegExp(`status=ok,.*slaves=1,sentinels=${SENTINELS}`).test(view))
  }
}

async function testServer(): Promise<TestRedis> {
  return await testRedis({
    port: await freePort(),
    password: PASSWORD,
    settings: ['--masterauth', PASSWORD, '--repl-diskless-sync-delay', '0'],
  })
}

async function testSentinel(masterAtPort: number): Promise<TestRedis> {
  return await testRedis({
    sentinelFile: async (directory) => {
      const file = join(directory, 'sentinel.conf')
      const lines = [
        `sentinel monitor ${NAME} 127.0.0.1 ${masterAtPort} ${QUORUM}`,
        `sentinel auth-pass ${NAME} ${PASSWORD}`,
        `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
        `sentinel failover-timeout ${NAME} ${FAILOVER_TIMEOUT_MS}`,
      ]
      await writeFile(file, `${lines.join('\n')}\n`)
      return file
    },
  })
}

/** Resolves to null where the sentinel does not answer. */
async function masterPort({ client }: TestRedis): Promise<number | null> {
  const address = await client.call('SENTINEL', 'get-master-addr-by-name', NAME).catch(() => null)
  return Array.isArray(address) ? Number(address[1]) : null
}
