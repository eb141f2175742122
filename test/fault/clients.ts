// The traffic: sessions that begin, go on and end, whatever happens to the servers meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'
import { LOGOUTS, PEERS, type Api, type LogoutDialect, type Pair, type Token } from './api.ts'
import type { Graveyard } from './graveyard.ts'
import { INSTANCES, type Bounds, type InstanceName } from './history.ts'
import type { Random } from './random.ts'
import { runTime } from './recorder.ts'

export interface ClientsDeps {
  api: Api
  graveyard: Graveyard
  random: Random
  bounds: Bounds
}

export interface Clients {
  /** Resolves when they were stopped and every one of them has ended its session. */
  run(): Promise<void>
  stop(): void
}

const CLIENTS = 24
const LOGOUT_TRIES = 6
/** Those that are left to expire. */
const NEVER_LOGGED_OUT = 0.1
const LONG_LIVED = 0.15
const HAS_SOCKET = 0.4

interface Session {
  client: string
  rotates: boolean
  pair: Pair
  /** All it ever had, for the graveyard. */
  tokens: Token[]
}

export function clients(deps: ClientsDeps): Clients {
  const { api, random } = deps
  let isStopped = false

  return {
    run: async () => {
      await Promise.all(
        Array.from({ length: CLIENTS }, async (_, index) => {
          await client(`client-${index}`)
        }),
      )
    },
    stop: () => {
      isStopped = true
    },
  }

  async function client(name: string): Promise<void> {
    await sleep(random.between(0, 2000))
    while (!isStopped) {
      const rotates = random.chance(0.5)
      const pair = await api.login(anyInstance(random), name, rotates)
      if (pair) await live({ client: name, rotates, pair, tokens: [pair.access, pair.refresh] })
      else await sleep(300)
    }
  }

  async function live(session: Session): Promise<void> {
    if (random.chance(HAS_SOCKET)) await api.openSocket(session.client, session.pair.access)
    const isLongLived = random.chance(LONG_LIVED)
    const until = runTime() + random.between(100, isLongLived ? 30_000 : 6000)
    while (!isStopped && runTime() < until && isYoung(session.pair.refresh)) {
      await step(deps, session)
      await sleep(random.between(100, 700))
    }
    if (random.chance(NEVER_LOGGED_OUT)) deps.graveyard.bury(session.tokens)
    else await end(deps, session)
  }
}

/** One thing that a client, or two of its tabs, would do. */
async function step(deps: ClientsDeps, session: Session): Promise<void> {
  const { api, random } = deps
  const { client, pair } = session
  const at = anyInstance(random)
  const chance = random.next()
  if (chance < 0.45) await renew(deps, session, { at, rotate: api.rotate })
  else if (chance < 0.75) await api.peerCheck(random.pick(PEERS), client, pair.access)
  else if (chance < 0.9) await api.verify(at, client, pair.access)
  else if (chance < 0.97) await api.verify(at, client, pair.refresh)
  else await renew(deps, session, { at, rotate: api.rotateElsewhere })
}

async function renew(
  deps: ClientsDeps,
  session: Session,
  { at, rotate }: { at: InstanceName; rotate: Api['rotate'] },
): Promise<void> {
  const { api, random } = deps
  const { client, pair, rotates } = session
  if (!rotates) {
    const access = await api.refresh(at, client, pair.refresh)
    if (access) keep(session, { ...pair, access })
    return
  }
  const tries = [rotate(at, client, pair.refresh)]
  // Two tabs at once.
  if (random.chance(0.25)) tries.push(api.rotate(otherThan(at), client, pair.refresh))
  const [next = null] = (await Promise.all(tries)).filter((answer) => answer !== null)
  if (!next) return
  keep(session, next)
  // The answer was lost, says the client, and asks again; sometimes far too late, as a thief would.
  if (random.chance(0.15)) await api.rotate(anyInstance(random), client, pair.refresh)
  else if (random.chance(0.05)) void stealLater(deps, client, pair.refresh)
}

async function stealLater({ api, random, bounds }: ClientsDeps, client: string, used: Token): Promise<void> {
  await sleep(bounds.graceMs + random.between(100, 2000))
  await api.rotate(anyInstance(random), client, used)
}

function keep(session: Session, pair: Pair): void {
  for (const token of [pair.access, pair.refresh]) {
    if (!session.tokens.some(({ digest }) => digest === token.digest)) session.tokens.push(token)
  }
  session.pair = pair
}

/** Logs out, insisting; and tries what is dead at once, everywhere, wherever the answer came from. */
async function end(deps: ClientsDeps, session: Session): Promise<void> {
  const { api, random, graveyard } = deps
  const { client, pair } = session
  for (let tries = 0; tries < LOGOUT_TRIES && isYoung(pair.refresh); tries++) {
    const at = anyInstance(random)
    const logouts = [api.logout(at, client, { pair, dialect: anyDialect(random, pair) })]
    // From two windows at once: the second one to be served finds nothing left to do.
    if (random.chance(0.2)) logouts.push(api.logout(otherThan(at), client, { pair, dialect: 'v1-refresh' }))
    const answers = await Promise.all(
      logouts.map(async (logout) => {
        const { answer, at: answeredBy } = await logout
        if (isDone(answer)) await tryAtOnce(deps, session, answeredBy as InstanceName)
        return answer
      }),
    )
    if (answers.some((answer) => isDone(answer) || answer === 401)) break
    await sleep(random.between(50, 800))
  }
  graveyard.bury(session.tokens)
}

async function tryAtOnce(deps: ClientsDeps, session: Session, at: InstanceName): Promise<void> {
  const { api } = deps
  const { client, pair, rotates } = session
  await Promise.all([
    api.verify(at, client, pair.access),
    refreshOf(deps, rotates)(at, client, pair.refresh),
    ...PEERS.map(async (peer) => await api.peerCheck(peer, client, pair.access)),
  ])
}

function refreshOf({ api, random }: ClientsDeps, rotates: boolean): Api['rotate'] | Api['refresh'] {
  if (!rotates) return api.refresh
  return random.chance(0.5) ? api.rotate : api.rotateElsewhere
}

function isDone(answer: number | 'no answer'): boolean {
  return answer === 200 || answer === 204
}

function anyDialect(random: Random, { access }: Pair): LogoutDialect {
  const dialect = random.pick(LOGOUTS)
  const needsAccess = dialect === 'bearer' || dialect === 'v1-access'
  return needsAccess && !isYoung(access) ? 'v1-refresh' : dialect
}

function anyInstance(random: Random): InstanceName {
  return random.pick(INSTANCES)
}

function otherThan(at: InstanceName): InstanceName {
  return at === 'one' ? 'two' : 'one'
}

function isYoung({ expiresAt }: Token): boolean {
  return runTime() < expiresAt
}
