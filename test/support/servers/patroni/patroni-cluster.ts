// A Postgres of two members that Patroni fails over between, behind one address.
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { postgresAccount } from '../../../../src/embedded/postgres/account.ts'
import { postgresQuery, postgresUrl } from '../../../../src/embedded/postgres/query.ts'
import { waitUntil } from '../../../../src/embedded/process/wait-until.ts'
import { startEtcd } from './etcd.ts'
import { startHaProxy } from './haproxy.ts'
import type { PostgresAccess } from './member-settings.ts'
import { patroniMember, type Member } from './member.ts'
import { patroniPrograms } from './programs.ts'

export interface PatroniCluster {
  /** Leads to the primary, whichever it is. */
  url: string
  members: readonly Member[]
  /** Of one member, primary or not. */
  urlOf: (member: Member) => string
  /** Rejects when there is none. */
  primary: () => Promise<Member>
  /** The one that is not `member`. */
  other: (member: Member) => Member
  /** Resolves when the address leads to a primary that takes writes. */
  untilWritable: () => Promise<void>
  remove: () => Promise<void>
}

const WRITABLE_TIMEOUT_MS = 60_000
const DATABASE = 'signoff'

/** Empty. Whatever was started is stopped again when something does not start. */
export async function patroniCluster(isSynchronous: boolean): Promise<PatroniCluster> {
  const programs = await patroniPrograms()
  const undo: (() => Promise<void>)[] = []
  const remove = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const directory = await mkdtemp(path.join(tmpdir(), 'signoff-patroni-'))
    undo.push(async () => {
      await rm(directory, { recursive: true, force: true })
    })
    const account = await postgresAccount(process.env, {
      programs: programs.patroni.args[0] ?? programs.patroni.file,
      dataDir: directory,
      home: directory,
    })
    const etcd = await startEtcd(programs.etcd, directory)
    undo.push(etcd.stop)

    const access = newAccess()
    const makeMember = async (name: string): Promise<Member> => {
      const options = { name, directory, programs, account, access, isSynchronous, etcdPort: etcd.port }
      const member = await patroniMember(options)
      undo.push(member.remove)
      return member
    }
    const members = [await makeMember('a'), await makeMember('b')] as const
    // After the members' own: when this process is ended, nobody writes there any more.
    process.once('exit', () => {
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    })
    const backends = members
    const proxy = await startHaProxy(programs.haproxy, { directory, backends })
    undo.push(proxy.stop)
    await startTogether(members, isSynchronous)

    const { password } = access.superuser
    const urlAt = (port: number, database = DATABASE): string => postgresUrl({ port, password, database })
    await untilWritable(urlAt(proxy.port, 'postgres'))
    await postgresQuery(urlAt(proxy.port, 'postgres'), `CREATE DATABASE ${DATABASE}`)
    return {
      url: urlAt(proxy.port),
      members,
      urlOf: ({ postgresPort }) => urlAt(postgresPort),
      primary: async () => await primaryOf(members),
      other: (member) => (member === members[0] ? members[1] : members[0]),
      untilWritable: async () => {
        await untilWritable(urlAt(proxy.port))
      },
      remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

/** The first one is the primary, to begin with. */
async function startTogether(
  [first, second]: readonly [Member, Member],
  isSynchronous: boolean,
): Promise<void> {
  await first.start()
  await first.until('primary')
  await second.start()
  await second.until(isSynchronous ? 'sync' : 'replica')
}

async function primaryOf(members: readonly Member[]): Promise<Member> {
  for (const member of members) if (await member.is('primary')) return member
  throw new Error('there is no primary')
}

async function untilWritable(url: string): Promise<void> {
  const isWritable = async (): Promise<boolean> =>
    await postgresQuery(url, 'SELECT NOT pg_is_in_recovery()').then(Boolean, () => false)
  if (!(await waitUntil(isWritable, WRITABLE_TIMEOUT_MS))) throw new Error('no primary takes writes')
}

function newAccess(): PostgresAccess {
  const password = (): string => randomBytes(16).toString('hex')
  return {
    superuser: { username: 'signoff', password: password() },
    replication: { username: 'replicator', password: password() },
  }
}
