// npm run retrying: the proof of test/e2e/retrying-clients.test.ts, with many clients and for long.
import { setTimeout as sleep } from 'node:timers/promises'
import { offerPostgres } from '../support/servers/offered-postgres.ts'
import { ownPostgres, preparedData } from '../support/servers/postgres.ts'
import { readOptions, USAGE, type Options } from './options.ts'
import { followOwner, loseAnswers, outlastGrace, raceLogout, standStill } from './phases.ts'
import { retryingWorld, type Client, type RetryingWorld } from './retrying-world.ts'

/**
 * The default, and long enough for a retry on a machine that is busy: a session has one late replay in 24 hours, which
 * is for the outage.
 */
const GRACE_SECONDS = 60
const OUTAGE_MS = (GRACE_SECONDS + 10) * 1000
/** Rotations of each client in one go: with lost answers, and before and after a standstill. */
const LOSING = 10
const AROUND_STANDSTILL = 5
/** Logouts at a time. */
const RACERS = 10

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  if (!options) {
    process.stdout.write(USAGE)
    return 0
  }
  const withdraw = await offerPostgres({ start: ownPostgres, prepare: preparedData })
  const startedAtMs = performance.now()
  try {
    say(`${options.clients} logins`)
    const settings = { ROTATION_GRACE: String(GRACE_SECONDS) }
    const world = await retryingWorld({ clients: options.clients, settings })
    try {
      const lines = await prove(world, options)
      const seconds = Math.round((performance.now() - startedAtMs) / 1000)
      process.stdout.write(`${[...lines, `took         ${seconds} s`].join('\n')}\n`)
      return 0
    } catch (error) {
      process.stdout.write(
        `broken: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      )
      return 1
    } finally {
      await world.stop()
    }
  } finally {
    await withdraw()
  }
}

function say(line: string): void {
  process.stderr.write(`${line} …\n`)
}

/** Resolves to a report. Rejects where anything is broken. */
async function prove(world: RetryingWorld, { clients, rounds }: Options): Promise<string[]> {
  const { figures } = world
  const wanted = clients * rounds
  let standstills = 0
  while (figures.rotations < wanted) {
    say(`${figures.rotations} of ${wanted} rotations`)
    await loseAnswers(world, LOSING)
    await standStill(world, { which: standstills % world.instances.length, rounds: AROUND_STANDSTILL })
    standstills += 1
  }
  say(`Postgres is away for ${OUTAGE_MS / 1000} s`)
  await outlastGrace(world, async () => {
    await sleep(OUTAGE_MS)
  })
  const kept = { ...figures, sessions: world.clients.length }

  const robbed = world.clients.splice(-Math.ceil(clients / 10))
  say(`${robbed.length} thieves`)
  for (const client of robbed) await followOwner(world, client)

  for (let round = 0; round < rounds; round += 1) {
    if (round % 20 === 0) say(`${round} of ${rounds} rounds of logouts`)
    await raceLogouts(world)
  }
  return [
    `clients      ${clients}, at ${world.instances.length} instances`,
    `rotations    ${kept.rotations}; answers lost: ${kept.lost}, given up: ${kept.givenUp}, 503: ${kept.refused}`,
    `standstills  ${standstills}, and ${OUTAGE_MS / 1000} s without Postgres at a grace of ${GRACE_SECONDS} s`,
    `sessions     ${kept.sessions} of ${clients} kept`,
    `thieves      ${robbed.length} of ${robbed.length} found at the second step`,
    `logouts      ${rounds * RACERS}, each against ten rotations; sessions that outlived theirs: 0`,
  ]
}

/** Of new sessions, at once. */
async function raceLogouts(world: RetryingWorld): Promise<void> {
  const usernames = Array.from({ length: RACERS }, (_, racer) => `client-${racer % world.clients.length}`)
  const racers: Client[] = await Promise.all(usernames.map(world.login))
  await Promise.all(
    racers.map(async (client) => {
      await raceLogout(world, client)
    }),
  )
}

process.exitCode = await main()
