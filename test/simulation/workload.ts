// What users, thieves, peers and operators do all day: log in, refresh, log out, and try dead tokens again and again.
import type { Account } from '../../src/auth/ports/accounts.ts'
import type { AccessClaims } from '../../src/contract/claims.ts'
import { introduce } from '../../src/store/vouching/introduce.ts'
import { seededRandom, type Random } from '../fault/random.ts'
import type { SimulatedSession } from './checker.ts'
import { WRITES_JOURNAL, endRow, simulatedPorts } from './postgres/simulated-ports.ts'
import { WORLD_BEGAN_AT } from './simulated-host.ts'
import type { SimulatedInstance } from './simulated-instance.ts'
import { clientOf, type Outcome } from './simulated-client.ts'
import type { SimulatedPeer } from './simulated-peers.ts'
import { addAccount, type Deployment, type World } from './world.ts'

export interface Workload {
  /** Does something every now and then, until then. */
  start: (untilMs: number) => void
  /** Tries the tokens of every session that is over at every instance and peer. Resolves when all have answered. */
  tryAllDead: () => Promise<void>
  /** Uses what is alive once more, everywhere. */
  tryAlive: () => Promise<void>
}

/** What a rotation brings. */
type Renewed = Awaited<ReturnType<SimulatedInstance['rotate']>>

/** Between two operations, on average. */
const PAUSE_MS = 130
/** A user, or a thief, takes the newest of what is dead half of the time. */
const RECENT = 12
/** Tokens count in whole seconds. */
const ROUNDING_MS = 1500

export function workload(world: World, deployment: Deployment): Workload {
  const { time, settings, checker, trace } = world
  const random = seededRandom(world.seed * 31 + deployment.name.length + 7)
  const sessions = (): SimulatedSession[] =>
    world.sessions.filter((session) => session.deployment === deployment.name)
  const alive: SimulatedSession[] = []
  const dead: SimulatedSession[] = []
  /** When all sessions of a user may have been ended: a login of that time may be among them, or not. */
  const endings: { userId: string; fromMs: number; untilMs: number }[] = []
  const ask = clientOf(world, random)
  world.disableSomebody ??= () => void disable()

  return {
    start: (untilMs) => {
      next(untilMs)
    },
    tryAllDead: async () => {
      const places = [...deployment.instances, ...deployment.peers]
      await Promise.all(
        sessions()
          .filter(({ ends }) => ends.length > 0)
          .flatMap((session) =>
            places.map(async (place) => {
              await tryDead(session, place)
            }),
          ),
      )
    },
    tryAlive: async () => {
      await Promise.all(
        alive.slice(-8).flatMap((session) =>
          [...deployment.instances, ...deployment.peers].map(async (place) => {
            await verify(session, place)
          }),
        ),
      )
    },
  }

  function next(untilMs: number): void {
    const atMs = time.nowMs - Math.log(1 - random.next()) * PAUSE_MS
    if (atMs > untilMs) return
    time.at(atMs, () => {
      void act()
      next(untilMs)
    })
  }

  async function act(): Promise<void> {
    const instance = random.pick(deployment.instances)
    const session = pickAlive(random)
    const chance = random.next()
    if (!session || chance < 0.16) await logIn(instance)
    else if (chance < 0.34) await renew(session, instance)
    else if (chance < 0.44) await verify(session, random.pick([instance, ...deployment.peers]))
    else if (chance < 0.58) await end(session, instance)
    else if (chance < 0.59) await disable()
    else if (dead.length > 0)
      await tryDead(pickDead(random), random.pick([...deployment.instances, ...deployment.peers]))
  }

  function pickAlive(by: Random): SimulatedSession | undefined {
    return alive.length === 0 ? undefined : by.pick(alive)
  }

  function pickDead(by: Random): SimulatedSession {
    return by.chance(0.5) ? by.pick(dead.slice(-RECENT)) : by.pick(dead)
  }

  async function logIn(instance: SimulatedInstance): Promise<void> {
    const account = random.pick(deployment.accounts.filter(({ isActive }) => isActive))
    const rotates = random.chance(0.4)
    const startedAtMs = time.nowMs
    const outcome = await ask(instance, 'login', async () => await instance.login(account, rotates))
    if (outcome.kind !== 'done' || !outcome.value) return
    const { sid, access, refresh } = outcome.value
    const session: SimulatedSession = {
      sid,
      userId: account.id,
      deployment: deployment.name,
      rotates,
      refreshToken: refresh.token,
      usedUp: [],
      accessTokens: [access.token],
      expiresAtMs: refresh.exp * 1000,
      ends: [],
      mayBeOverSinceMs: isEnding(account, startedAtMs) ? time.nowMs : null,
      isForgotten: false,
      isLeftToRedis: false,
      lostTailAtMs: null,
      successors: new Map(),
      rotating: 0,
    }
    world.sessions.push(session)
    alive.push(session)
  }

  /** Refreshes, or rotates where the session does; now and then with a token that was used up before. */
  async function renew(session: SimulatedSession, instance: SimulatedInstance): Promise<void> {
    const isOld = session.usedUp.length > 0 && random.chance(0.06)
    const token = isOld ? random.pick(session.usedUp) : session.refreshToken
    if (isOld) mayBeOver(session)
    if (!session.rotates) {
      await use(session, instance, { what: 'refresh', token })
      return
    }
    const startedAtMs = time.nowMs
    const what = `rotate ${session.sid.slice(-8)}`
    // Of two at once, one may come when the other has brought the session two generations further.
    session.rotating += 1
    if (session.rotating > 1) mayBeOver(session)
    const outcome = await ask(instance, what, async () => await instance.rotate(token))
    session.rotating -= 1
    note(session, { at: instance.name, what, startedAtMs, outcome, token })
    if (outcome.kind === 'done') rotated(session, { at: instance.name, token, next: outcome.value })
    else if (outcome.kind === 'no answer' || outcome.code === 'unavailable') {
      // It may have been rotated: what its client holds may be used up.
      mayBeOver(session)
    }
  }

  function rotated(
    session: SimulatedSession,
    { at, token, next }: { at: string; token: string; next: Renewed },
  ): void {
    const { access, refresh } = next
    const known = session.successors.get(token)
    if (known !== undefined && known !== refresh.token && session.lostTailAtMs === null && !world.hasLostTail)
      checker.violate('c', `${token} of ${session.sid.slice(-8)} was spent twice, at ${at} the second time`)
    session.successors.set(token, refresh.token)
    remember(session.accessTokens, access.token)
    if (token === session.refreshToken) {
      remember(session.usedUp, token)
      session.refreshToken = refresh.token
    }
  }

  async function use(
    session: SimulatedSession,
    instance: SimulatedInstance,
    { what, token }: { what: string; token: string },
  ): Promise<void> {
    const startedAtMs = time.nowMs
    const words = `${what} ${session.sid.slice(-8)}`
    const outcome = await ask(instance, words, async () => await instance.refresh(token))
    note(session, { at: instance.name, what: words, startedAtMs, outcome, token })
    if (outcome.kind === 'done') remember(session.accessTokens, outcome.value.access.token)
  }

  async function verify(session: SimulatedSession, place: SimulatedInstance | SimulatedPeer): Promise<void> {
    const token = session.accessTokens.at(-1)
    if (token === undefined) return
    const claims = deployment.book.issued.get(token) as AccessClaims
    const startedAtMs = time.nowMs
    const what = `check ${session.sid.slice(-8)}`
    if ('denials' in place) {
      const outcome = await ask(place, what, async () => {
        await place.check(token)
      })
      note(session, { at: place.name, what, startedAtMs, outcome, token })
      return
    }
    if (place.host.isStopped) return
    const verdict = await place.check(token, claims)
    if (trace.isKept) trace.note('client', `${what} at ${place.name}: ${verdict}`)
    const outcome = verdict === 'live' ? 'accepted' : verdict === 'denied' ? 'denied' : 'unknown'
    checker.attempted({ session, at: place.name, what, startedAtMs, outcome, isPeer: true })
  }

  function note(
    session: SimulatedSession,
    {
      at,
      what,
      startedAtMs,
      outcome,
      token,
    }: { at: string; what: string; startedAtMs: number; outcome: Outcome<unknown>; token: string },
  ): void {
    const isDenied = outcome.kind === 'refused' && outcome.code === 'token_denied'
    const { exp = 0 } = deployment.book.issued.get(token) ?? {}
    const hasExpired = WORLD_BEGAN_AT + time.nowMs > exp * 1000 - 2 * settings.clocksApartMs - ROUNDING_MS
    // A token that has expired by some clock is refused for that, by whatever name.
    if (isDenied && hasExpired && session.mayBeOverSinceMs === null) return
    checker.attempted({
      session,
      at,
      what,
      startedAtMs,
      outcome: outcome.kind === 'done' ? 'accepted' : isDenied ? 'denied' : 'unknown',
      isPeer: false,
    })
  }

  async function tryDead(session: SimulatedSession, place: SimulatedInstance | SimulatedPeer): Promise<void> {
    if (!('denials' in place) || random.chance(0.35)) {
      await verify(session, place)
      return
    }
    if (session.rotates && random.chance(0.5)) {
      const startedAtMs = time.nowMs
      const what = `rotate dead ${session.sid.slice(-8)}`
      const outcome = await ask(place, what, async () => await place.rotate(session.refreshToken))
      note(session, { at: place.name, what, startedAtMs, outcome, token: session.refreshToken })
      return
    }
    await use(session, place, { what: 'refresh dead', token: session.refreshToken })
  }

  async function end(session: SimulatedSession, instance: SimulatedInstance): Promise<void> {
    const way = random.next()
    const access = session.accessTokens.at(-1) ?? null
    const ofUser = alive.filter(({ userId }) => userId === session.userId)
    if (way < 0.5)
      await ended([session], instance, {
        what: 'logout',
        work: async () => {
          await instance.logout(session.refreshToken)
        },
      })
    else if (way < 0.75)
      await ended([session], instance, {
        what: 'logout either',
        work: async () => {
          await instance.logoutEither({
            accessToken: null,
            refreshToken: session.refreshToken,
            scope: 'this',
          })
        },
      })
    else if (way < 0.85 && access !== null) {
      const other = random.pick(ofUser)
      await ended([other], instance, {
        what: 'revoke',
        work: async () => {
          await instance.revoke(access, other.sid)
        },
      })
    } else if (way < 0.93)
      await ended(ofUser, instance, {
        what: 'logout all',
        work: async () => {
          await instance.logoutAll(session.refreshToken)
        },
      })
    else
      await ended(ofUser, instance, {
        what: 'logout everywhere',
        work: async () => {
          await instance.logoutEither({
            accessToken: null,
            refreshToken: session.refreshToken,
            scope: 'all',
          })
        },
      })
  }

  async function ended(
    meant: SimulatedSession[],
    instance: SimulatedInstance,
    { what, work }: { what: string; work: () => Promise<void> },
  ): Promise<void> {
    for (const session of meant) mayBeOver(session)
    const [{ userId } = { userId: '' }] = meant
    const ending = { userId, fromMs: time.nowMs, untilMs: Infinity }
    if (what === 'logout all' || what === 'logout everywhere') endings.push(ending)
    // Of all devices, those are meant that had been told of when it was asked.
    const ids = meant.map(({ sid }) => sid.slice(-8)).join(' ')
    const outcome = await ask(instance, `${what} ${ids}`, work)
    // A statement that nobody waits for any more may be done at any time.
    if (outcome.kind === 'no answer' || (outcome.kind === 'refused' && outcome.code === 'unavailable'))
      checker.mayMend = true
    else ending.untilMs = time.nowMs
    if (outcome.kind !== 'done') return
    const isOfAll = what === 'logout all' || what === 'logout everywhere'
    acknowledged(isOfAll ? meant.filter(isKnownToPostgres) : meant, instance.name)
  }

  /** A login that Postgres has lost is none of the devices that "all" means; docs/promise.md says so. */
  function isKnownToPostgres({ sid }: SimulatedSession): boolean {
    return deployment.postgres.rows.sessions.get(sid) !== undefined
  }

  function acknowledged(meant: SimulatedSession[], at: string): void {
    for (const session of meant) {
      checker.counts.acknowledged += 1
      session.ends.push({ at, ackedAtMs: time.nowMs })
      const place = alive.indexOf(session)
      if (place !== -1) alive.splice(place, 1)
      if (!dead.includes(session)) dead.push(session)
    }
  }

  /** By a command on another machine, which knows of no Redis. */
  async function disable(): Promise<void> {
    const account = random.pick(deployment.accounts.filter(({ isActive }) => isActive))
    account.isActive = false
    addAccount(world, deployment)
    const meant = alive.filter(({ userId }) => userId === account.id)
    for (const session of meant) mayBeOver(session)
    const host = world.operatorHost
    const client = { host, route: deployment.routesOf(host.name).postgres }
    const leewaySeconds = 2 * settings.leewaySeconds
    const instanceId = world.randomId()
    const { instances } = simulatedPorts({
      postgres: deployment.postgres,
      client,
      instanceId,
      isCommand: true,
      leewaySeconds,
      onLacking: () => undefined,
    })
    try {
      await introduce({ clock: host.clock, instanceId, instances })
      await deployment.postgres.execute(client, {
        ...WRITES_JOURNAL,
        name: 'disable',
        work: (rows, nowMs) => {
          const user = rows.users.get(account.id)
          if (user) rows.users.put(user.id, { ...user, isActive: false })
          for (const session of [...rows.sessions.values()])
            if (session.userId === account.id)
              endRow(rows, session, { reason: 'user_disabled', nowMs, leewaySeconds })
        },
      })
      trace.note('operator', `disabled ${account.id}: ${meant.map(({ sid }) => sid.slice(-8)).join(' ')}`)
      acknowledged(meant.filter(isKnownToPostgres), 'operator')
    } catch {
      trace.note('operator', `failed to disable ${account.id}`)
    }
  }

  function isEnding(account: Account, sinceMs: number): boolean {
    return (
      !account.isActive || endings.some(({ userId, untilMs }) => userId === account.id && untilMs >= sinceMs)
    )
  }

  function mayBeOver(session: SimulatedSession): void {
    session.mayBeOverSinceMs ??= time.nowMs
  }
}

function remember(tokens: string[], token: string): void {
  tokens.push(token)
  if (tokens.length > 3) tokens.shift()
}
