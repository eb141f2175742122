// A denylist out of the feed: a replica in memory, kept up to date over one connection at a time.
import { FEED_PATH } from '../../contract/feed.ts'
import { basicCredentials, type ClientCredentials } from '../client-credentials.ts'
import type { Denylist, DenylistContext, DenylistSource } from '../denylist.ts'
import { issuerUrl } from '../issuer-url.ts'
import { systemPace, type Pace } from '../pace.ts'
import { DenialSetFullError } from './denial-set.ts'
import { connectFeed, FeedRefusedError, type FeedConnection } from './feed-connection.ts'
import { reconnectDelayMs, type Attempts } from './reconnect-delay.ts'
import { answersOf, replica } from './replica.ts'

export interface FeedOptions extends ClientCredentials {
  /** `${issuer}/denylist/feed` by default. */
  url?: string
}

const TICK_MS = 250
/** In a row, over a second and a half at the least: the service knows a new peer within a second. */
const REFUSALS = 5
const NO_FAILURE: Attempts = { failures: 0, isHopeless: false, retryAfterMs: 0 }

/**
 * Keeps all denials of live tokens in memory (about 130 bytes each, 5,000,000 at the most) and asks nobody
 * during a check. Known from the first heartbeat on, unknown when the last one is older than the lease (5 s by
 * the service's default); reconnects by itself, and what went wrong goes to `onError` of the verifier.
 *
 * The connection keeps the process alive until `close()`.
 */
export function feed({ url, ...credentials }: FeedOptions): DenylistSource {
  const authorization = basicCredentials(credentials)
  return (context) => openFeed(context, { url: issuerUrl(context.issuer, FEED_PATH, url), authorization })
}

/** Of one verifier; `pace` is for tests and simulations to run. */
export function openFeed(
  context: DenylistContext,
  target: { url: URL; authorization: string },
  { moment, repeat, pause, random }: Pace = systemPace,
): Denylist {
  const own = replica({ ...context, moment })
  const closing = new AbortController()
  const isClosed = () => closing.signal.aborted
  let connection: FeedConnection | null = null
  let lastError: Error | null = null

  const stopTicking = repeat(TICK_MS, () => {
    own.tick()
    connection?.checkSilence()
  })
  const reading = readUntilClosed()

  return {
    // An outage is over with the first heartbeat after it.
    ...answersOf(own, () => (connection?.hasSynced() ? null : lastError)),
    async close() {
      stopTicking()
      closing.abort()
      connection?.abort()
      await reading
    },
  }

  async function readUntilClosed(): Promise<void> {
    let attempts = NO_FAILURE
    let resumeFrom = ''
    while (!isClosed()) {
      connection = connectFeed({ ...context, replica: own, moment }, { ...target, resumeFrom })
      const error = await failureOf(connection)
      if (isClosed()) return

      lastError = error
      if (error) context.onError(error)
      // A full replica has missed something: the next one is to be told everything.
      resumeFrom = error instanceof DenialSetFullError ? '' : connection.resumeFrom()
      attempts = attemptsAfter(attempts, { error, hasSynced: connection.hasSynced() })
      connection = null
      await pause(reconnectDelayMs(attempts, random()), closing.signal)
    }
  }
}

async function failureOf(connection: FeedConnection): Promise<Error | null> {
  try {
    await connection.ended
    return connection.hasSynced() ? null : new Error('the feed ended before its first heartbeat')
  } catch (error) {
    return error instanceof Error ? error : new Error('the feed failed', { cause: error })
  }
}

function attemptsAfter(
  before: Attempts,
  { error, hasSynced }: { error: Error | null; hasSynced: boolean },
): Attempts {
  if (!error) return NO_FAILURE
  const failures = hasSynced ? 1 : before.failures + 1
  const isRefused = error instanceof FeedRefusedError && error.status === 401
  return {
    failures,
    isHopeless: error instanceof DenialSetFullError || (isRefused && failures >= REFUSALS),
    retryAfterMs: error instanceof FeedRefusedError ? error.retryAfterMs : 0,
  }
}
