// The sweep over many live denials: how long it takes, what it costs, and whether it brings back what was deleted.
import { setTimeout as sleep } from 'node:timers/promises'
import { readSwept } from '../../src/store/relay/swept-note.ts'
import type { Swept } from '../../src/store/relay/sweep.ts'
import { eventually, type TestEnvironment } from '../support/service/environment.ts'
import { patientRedis } from '../support/stores/patient-redis.ts'
import type { Bench } from './bench.ts'
import { coreShares, readCpu, type CoreShares } from './cpu.ts'
import { fillJournal, isReady, killAndLoseData } from './filled-journal.ts'

export interface SweepResult {
  /** Those that the sweep has looked for. */
  denials: number
  seconds: number
  shares: CoreShares
  /** Keys that were deleted by hand as it began, those that it says it has repaired, and those that are there again. */
  deleted: number
  repaired: number
  back: number
  /** What the metric has gone up by. */
  counted: number
}

const DELETED = 1000
const LONGEST_MS = 1_800_000
const LOOK_EVERY_MS = 200

export async function measureSweep({ environment, options, say }: Bench): Promise<SweepResult> {
  say(`${options.denials} live denials into the journal and an empty Redis`)
  await fillJournal(environment, options.denials)
  await killAndLoseData(environment)
  await eventually(async () => !(await isReady(environment)))
  await environment.redis.start()
  await eventually(async () => await isReady(environment), LONGEST_MS)
  const connection = await patientRedis(environment.redis.url)
  try {
    const nextSweep = async (after: Swept | null): Promise<Swept> => {
      for (const deadline = performance.now() + LONGEST_MS; performance.now() < deadline;) {
        const swept = await readSwept(connection)
        if (swept && swept.endedAtMs !== after?.endedAtMs && swept.checked >= options.denials) return swept
        await sleep(LOOK_EVERY_MS)
      }
      throw new Error('no sweep has come to its end in time')
    }
    say('the first whole sweep')
    const first = await nextSweep(null)
    say(`it took ${first.seconds} s; the next one, with ${DELETED} keys deleted by hand`)
    const [before, countedBefore] = [await readCpu(environment), await repairedCount(environment)]
    const startedAt = performance.now()
    const keys = await deleteSome(environment)
    const swept = await nextSweep(first)
    const seconds = (performance.now() - startedAt) / 1000
    return {
      denials: swept.checked,
      seconds: swept.seconds,
      shares: coreShares(before, await readCpu(environment), seconds),
      deleted: keys.length,
      repaired: swept.repaired,
      back: await environment.redis.client.exists(...keys),
      counted: (await repairedCount(environment)) - countedBefore,
    }
  } finally {
    connection.close()
  }
}

/** One in each partition and then another, until they are enough. */
async function deleteSome({ redis, database }: TestEnvironment): Promise<string[]> {
  const rows = await database.sql<{ id: string; partition: string }>(
    `SELECT denied_id AS id, partition FROM revocations WHERE created_at < now() - interval '1 minute'
     ORDER BY md5(denied_id) LIMIT ${DELETED}`,
  )
  const keys = rows.map(({ id, partition }) => `denylist:{${partition}}:${id}`)
  await redis.client.del(...keys)
  return keys
}

async function repairedCount({ signoff }: TestEnvironment): Promise<number> {
  const text = await (await fetch(`${signoff.adminUrl}/metrics`)).text()
  const counts = text.matchAll(/^signoff_denylist_repaired_total\{.*to="redis".*\} (\d+)$/gm)
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}
