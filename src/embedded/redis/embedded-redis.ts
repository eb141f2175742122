// Provides a Redis for a laptop, its data kept in the data directory.
import { mkdir } from 'node:fs/promises'
import { requireTrustedFolder } from '../../file-trust.ts'
import { childEnv } from '../process/child-env.ts'
import { freePort } from '../process/free-port.ts'
import { logTail } from '../process/log-tail.ts'
import { findRedis, type RedisBinary } from './find-redis.ts'
import { redisCommand } from './command.ts'
import { redisPlaces, redisUrl, writeRedisConfig, type RedisAccess, type RedisPlaces } from './config.ts'
import { stopRedisOrphan } from './orphan.ts'
import { startServerProcess, type ServerProcess, type StopStep } from '../process/server-process.ts'
import { servingAt, type EmbeddedOptions, type EmbeddedServer } from '../server.ts'
import { waitUntil } from '../process/wait-until.ts'

const READY_TIMEOUT_MS = 10_000
const ATTEMPTS = 5
const PORT_TAKEN = /Address already in use/

const STOP_STEPS: StopStep[] = [
  { signal: 'SIGTERM', graceMs: 5000 },
  { signal: 'SIGKILL', graceMs: 5000 },
]

export interface EmbeddedRedisOptions extends EmbeddedOptions {
  /** The program to run where it is known already; otherwise it is looked for. */
  binary?: RedisBinary
}

/**
 * Resolves once Redis has loaded its data and answers, or to null when there is none to be had (`say` has told
 * why); rejects when one is there and does not start. Call it only while holding the data directory.
 */
export async function embeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedServer | null> {
  const places = redisPlaces(options.dataDir)
  await mkdir(places.data, { recursive: true, mode: 0o700 })
  requireTrustedFolder(places.home)
  await stopRedisOrphan(places, options.say)
  const binary = options.binary ?? (await findRedis(options))
  return binary && (await start(binary, places))
}

async function start(binary: RedisBinary, places: RedisPlaces): Promise<EmbeddedServer> {
  for (let attempt = 1; ; attempt++) {
    const access = await writeRedisConfig(places, await freePort())
    const server = await startServerProcess({
      name: 'Redis',
      file: binary.path,
      args: [places.configFile],
      env: childEnv(binary.env),
      logFile: places.logFile,
      stopSteps: STOP_STEPS,
    })
    const failure = await readiness(server, access)
    if (failure === null) return servingAt(redisUrl(access), server)

    await server.stop()
    const log = await logTail(places.logFile)
    if (attempt === ATTEMPTS || !PORT_TAKEN.test(log)) {
      throw new Error(`Redis did not start in ${places.data}: ${failure}. Its log ends with:\n${log}`)
    }
  }
}

/** Resolves to null once Redis answers, which it does when its data is loaded; otherwise to why it will not. */
async function readiness(server: ServerProcess, access: RedisAccess): Promise<string | null> {
  const answers = () => redisCommand(access, ['PING']).catch(() => null)
  await waitUntil(async () => server.ended() !== null || (await answers()) === 'PONG', READY_TIMEOUT_MS)
  if ((await answers()) === 'PONG') return null
  return server.ended() ?? `it did not answer within ${READY_TIMEOUT_MS / 1000} seconds`
}
