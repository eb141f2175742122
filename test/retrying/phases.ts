// What clients that retry have to live through, and what has to end them all the same; each phase fails by throwing.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { Pair } from '../support/service/environment.ts'
import { untilAllReady } from '../support/service/several-instances.ts'
import { untilAnswered } from '../support/service/until-answered.ts'
import type { Client, RetryingWorld } from './retrying-world.ts'

/** Longer than a standstill has to be to count as one. */
const STANDSTILL_MS = 5000
/** Every third answer does not arrive. */
const LOST_OF = 3
/** At the same time as a logout. */
const RACING = 10

/** Each client rotates so many times, while answers are lost. */
export async function loseAnswers(world: RetryingWorld, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await world.everybody(async (client) => {
      await world.step(client, LOST_OF)
    })
  }
  await expectAllOn(world)
}

/**
 * One instance is stopped with requests of the clients in its sockets, and woken when they have gone on at the other
 * one; they rotate so many times before, and as often after that.
 */
export async function standStill(
  world: RetryingWorld,
  { which, rounds }: { which: number; rounds: number },
): Promise<void> {
  const { instances, everybody, step } = world
  const stopped = instances[which]
  stopped?.kill('SIGSTOP')
  const longEnough = sleep(STANDSTILL_MS)
  try {
    for (let round = 0; round < rounds; round += 1) await everybody(step)
    await longEnough
  } finally {
    stopped?.kill('SIGCONT')
  }
  for (let round = 0; round < rounds; round += 1) await everybody(step)
  // By now what lay in its socket was answered, too.
  await untilAllReady(instances)
  await everybody(step)
  await expectAllOn(world)
}

/**
 * Every client loses an answer, and Postgres is away until `passGrace` has resolved: after it, the token that they
 * still hold is older than the grace. A session has that once in 24 hours.
 */
export async function outlastGrace(world: RetryingWorld, passGrace: () => Promise<void>): Promise<void> {
  const { toPostgres, clients, refresh, everybody, step } = world
  await everybody(async ({ token }) => {
    expect((await untilAnswered(async () => await refresh(token))).status).to.equal(200)
    world.figures.lost += 1
  })
  toPostgres.cut()
  const refused = await refresh(clients[0]?.token ?? '')
  const stepping = everybody(step)
  // It is waited for below.
  stepping.catch(() => undefined)
  await passGrace()
  toPostgres.pass()
  await stepping
  await everybody(step)

  expect(refused.status).to.equal(503)
  await expectAllOn(world)
}

/** A thief who follows the owner of a session is found at the second step, and both have lost it. */
export async function followOwner(world: RetryingWorld, client: Client): Promise<void> {
  const answered = async (token: string): Promise<number> =>
    (await untilAnswered(async () => await world.refresh(token))).status
  const stolen = client.token
  await world.step(client)
  await world.step(client)

  expect(await answered(stolen)).to.equal(401)
  expect(await answered(client.token)).to.equal(401)
  expect(await world.isOver(client)).to.equal(true)
}

/** A logout while its token rotates ten times over: nothing that comes of either works afterwards, at any instance. */
export async function raceLogout(world: RetryingWorld, client: Client): Promise<void> {
  const racing = Array.from({ length: RACING }, async () => await world.refresh(client.token))
  const ended = await untilAnswered(
    async () => await world.instance().post('/auth/logout/', { refresh_token: client.token }),
  )
  // One that was answered 503 may have ended it.
  expect(ended.status, ended.text).to.be.oneOf([200, 401])
  const rotated = (await Promise.all(racing)).filter(({ status }) => status === 200)
  const tokens = [client.token, ...rotated.map(({ json }) => (json as Pair).refresh)]
  for (const token of new Set(tokens)) {
    for (const at of world.instances) {
      const ask = async () => await at.post('/auth/token/refresh/', { refresh: token })
      expect((await untilAnswered(ask)).status).to.equal(401)
    }
  }
  expect(await world.isOver(client)).to.equal(true)
}

async function expectAllOn({ clients, isOver }: RetryingWorld): Promise<void> {
  expect(await Promise.all(clients.map(isOver))).to.deep.equal(clients.map(() => false))
}
