// A Redis Cluster of the tests' own: three masters, with a replica each or without, to be killed, hung and started.
import { setTimeout as sleep } from 'node:timers/promises'
import { freeClusterPort, testRedis, type TestRedis } from './redis.ts'

export interface TestRedisCluster {
  url: string
  /** The first three began as masters, each of the others as the replica of the one three before it. */
  nodes: TestRedis[]
  /** Who serves this key as far as the others know, those that do not answer aside. */
  masterOf: (key: string) => Promise<TestRedis>
  replicaOf(master: TestRedis): Promise<TestRedis>
  /** Waits until all slots are served and every replica follows its master. */
  settled: () => Promise<void>
  remove(): Promise<void>
}

const MASTERS = 3
const SLOTS = 16_384
const DEADLINE_MS = 50_000
/** After which a silent node has failed: a replica takes over one or two of them later. */
const NODE_TIMEOUT_MS = 1000
const NEVER_FAILED_MS = 60_000

export interface TestRedisClusterOptions {
  /** `false`: three masters, of whom nobody takes one for failed. */
  hasReplicas?: boolean
}

/** Slots are spread evenly; replicas take over however far they lag. */
export async function testRedisCluster({
  hasReplicas = true,
}: TestRedisClusterOptions = {}): Promise<TestRedisCluster> {
  const count = hasReplicas ? 2 * MASTERS : MASTERS
  const nodeTimeoutMs = hasReplicas ? NODE_TIMEOUT_MS : NEVER_FAILED_MS
  const nodes = await Promise.all(Array.from({ length: count }, async () => await testNode(nodeTimeoutMs)))
  await join(nodes)
  await settled()

  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    masterOf,
    replicaOf,
    settled,
    remove: async () => {
      await Promise.all(
        nodes.map(async (node) => {
          await node.remove()
        }),
      )
    },
  }

  async function masterOf(key: string): Promise<TestRedis> {
    const table = await newestTable()
    const slot = await table.node.client.cluster('KEYSLOT', key)
    const master = table.rows.find(({ slots }) => slots.some(([from, to]) => from <= slot && slot <= to))
    return nodeAt(master?.port)
  }

  async function replicaOf(master: TestRedis): Promise<TestRedis> {
    const { rows } = await newestTable()
    const id = rows.find(({ port }) => port === master.port)?.id
    return nodeAt(rows.find(({ masterId }) => masterId === id)?.port)
  }

  function nodeAt(port: number | undefined): TestRedis {
    const node = nodes.find((candidate) => candidate.port === port)
    if (!node) throw new Error('the cluster has no such node')
    return node
  }

  /** Of the node that has seen most changes. */
  async function newestTable(): Promise<Table> {
    const tables = await Promise.all(nodes.map(async (node) => await tableOf(node).catch(() => null)))
    const [newest] = tables.filter((table) => table !== null).sort((a, b) => b.epoch - a.epoch)
    if (!newest) throw new Error('no node of the cluster answers')
    return newest
  }

  async function settled(): Promise<void> {
    await until(async () => {
      const fine = await Promise.all(
        nodes.map(async (node) => await isSettled(node, hasReplicas).catch(() => false)),
      )
      return fine.every(Boolean)
    })
  }
}

async function testNode(nodeTimeoutMs: number): Promise<TestRedis> {
  return await testRedis({
    port: await freeClusterPort(),
    settings: [
      ...['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)],
      ...['--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0'],
    ],
  })
}

async function join(nodes: TestRedis[]): Promise<void> {
  const [first] = nodes
  if (!first) return
  for (const [index, { client }] of nodes.entries()) {
    await client.cluster('SET-CONFIG-EPOCH', index + 1)
    if (index >= MASTERS) continue
    const slots = Array.from({ length: SLOTS }, (_, slot) => slot)
    await client.cluster(
      'ADDSLOTS',
      ...slots.filter((slot) => Math.floor((slot * MASTERS) / SLOTS) === index),
    )
  }
  for (const { client } of nodes) await client.cluster('MEET', '127.0.0.1', first.port)
  await until(async () => {
    const tables = await Promise.all(nodes.map(async (node) => await tableOf(node)))
    return tables.every(({ rows }) => rows.length === nodes.length)
  })
  for (const [index, { client }] of nodes.entries()) {
    const master = nodes[index - MASTERS]
    if (master) await client.cluster('REPLICATE', await master.client.cluster('MYID'))
  }
}

interface Table {
  node: TestRedis
  epoch: number
  rows: { id: string; port: number; masterId: string; slots: [from: number, to: number][] }[]
}

/** What this node knows of all. */
async function tableOf(node: TestRedis): Promise<Table> {
  const lines = ((await node.client.cluster('NODES')) as string).trim().split('\n')
  const info = await node.client.cluster('INFO')
  const rows = lines.map((line) => {
    const [id = '', address = '', , masterId = '', , , , , ...ranges] = line.split(' ')
    const slots = ranges
      .map((range) => range.split('-').map(Number))
      .map(([from = -1, to = from]): [number, number] => [from, to])
    return { id, port: Number(/:(\d+)@/.exec(address)?.[1]), masterId, slots }
  })
  return { node, epoch: Number(/cluster_current_epoch:(\d+)/.exec(info)?.[1]), rows }
}

async function isSettled({ client }: TestRedis, hasReplicas: boolean): Promise<boolean> {
  const state = await client.cluster('INFO')
  const replication = await client.info('replication')
  const isFollowing = /role:slave/.test(replication)
    ? /master_link_status:up/.test(replication)
    : /connected_slaves:[1-9]/.test(replication)
  return (
    (isFollowing || !hasReplicas) && /cluster_state:ok/.test(state) && /cluster_slots_ok:16384/.test(state)
  )
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('the test cluster does not come together')
    await sleep(50)
  }
}
