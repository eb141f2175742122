// Clients that retry keep their sessions, whatever is lost on the way; thieves and logouts still end them.
import { followOwner, loseAnswers, outlastGrace, raceLogout, standStill } from '../retrying/phases.ts'
import { retryingWorld, type Client, type RetryingWorld } from '../retrying/retrying-world.ts'
import { rotatedLongAgo } from '../support/service/rotated-long-ago.ts'
import { A_MINUTE_MS } from '../support/service/several-instances.ts'

/** As a proof of some minutes, with many more: `npm run retrying`. */
const CLIENTS = 12

describe('clients of two instances that retry', () => {
  let world: RetryingWorld

  before(async function () {
    this.timeout(2 * A_MINUTE_MS)
    world = await retryingWorld({ clients: CLIENTS })
  })
  after(async () => {
    await world.stop()
  })

  it('lose no session where every third answer is lost', async function () {
    this.timeout(3 * A_MINUTE_MS)
    await loseAnswers(world, 6)
  })

  it('lose no session where an instance is stopped with their requests, and woken when they have gone on', async function () {
    this.timeout(3 * A_MINUTE_MS)
    await standStill(world, { which: 1, rounds: 3 })
  })

  it('lose no session where Postgres is away for longer than the grace, right after an answer was lost', async function () {
    this.timeout(3 * A_MINUTE_MS)
    await outlastGrace(world, async () => {
      // That time has passed is what the rows say.
      for (const { token } of world.clients) await rotatedLongAgo(world.env.database, token)
    })
  })

  it('lose it to a thief at the second step of the owner, and the thief loses it with them', async () => {
    await followOwner(world, world.clients.pop() as Client)
  })

  it('keep no token that works after a logout, whatever rotates at the same time', async function () {
    this.timeout(3 * A_MINUTE_MS)
    await world.everybody(async (client) => {
      await raceLogout(world, client)
    })
  })
})
