// Asks a Postgres, before anything is served from it, whether a logout can stand on it.
import { silentLog } from '../../ops/log.ts'
import { DURABILITY, ROLE, unfitness, type Durability } from './postgres-health.ts'
import { postgres, type Statement } from './postgres.ts'

const READ: Statement = {
  name: 'postgres.durability',
  isOfPrimary: true,
  text: `SELECT ${DURABILITY}, ${ROLE}`,
}

/** For a start, when the machine may have more to do: it is longer than a request may wait. */
const TIMEOUT_MS = 5000

/**
 * Why logouts may be lost by the Postgres at `databaseUrl`, as one sentence that says what to do; `null` when
 * they may not. Rejects when it does not answer within some seconds, or is a standby.
 */
export async function postgresUnfitness(databaseUrl: string): Promise<string | null> {
  const database = postgres({ url: databaseUrl, log: silentLog, timeoutMs: TIMEOUT_MS })
  try {
    const [durability] = await database.query<Durability>(READ)
    if (!durability) throw new Error('Postgres did not tell how it is set up')
    return unfitness(durability)
  } finally {
    await database.close()
  }
}
