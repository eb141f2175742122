// One connection to the feed: what comes over it goes to the replica, in its order.
import type { Fetch, FetchResponse } from '../fetch.ts'
import type { Moment } from '../two-clocks.ts'
import { eventStreamParser, type StreamEvent } from './event-stream.ts'
import { parseFeedEvent } from './feed-event.ts'
import type { Replica } from './replica.ts'

export interface FeedConnection {
  /** Resolves when the service has ended it. Rejects with a `FeedRefusedError`, or whatever broke it. */
  ended: Promise<void>
  /** Where the next one resumes: after the last sync, or where this one did. */
  resumeFrom: () => string
  hasSynced: () => boolean
  /** Ends it when nothing was heard for too long; to be called a few times a second. */
  checkSilence: () => void
  abort: () => void
}

export interface FeedConnectionDeps {
  fetch: Fetch
  replica: Replica
  moment: () => Moment
}

export interface FeedRequest {
  url: URL
  authorization: string
  /** The Last-Event-ID, or empty for everything. */
  resumeFrom: string
}

/** The service answered, but not with the feed. */
export class FeedRefusedError extends Error {
  override readonly name = 'FeedRefusedError'
  readonly status: number
  readonly retryAfterMs: number

  constructor({ href }: URL, { status, headers }: FetchResponse) {
    const hint = status === 401 ? ': clientId and clientSecret are not those of a peer it knows' : ''
    super(`${href} answered ${status}${hint}`)
    this.status = status
    this.retryAfterMs = (Number(headers.get('retry-after')) || 0) * 1000
  }
}

/** From the request to the first event. */
const OPEN_TIMEOUT_MS = 2_500
/** Of the lease: the rest of it is for finding an instance that knows more. */
const SILENT_SHARE = 0.5

export function connectFeed(deps: FeedConnectionDeps, request: FeedRequest): FeedConnection {
  const { replica, moment } = deps
  const controller = new AbortController()
  const askedAt = moment()
  let { resumeFrom } = request
  let hasSynced = false
  let maxSilenceMs = OPEN_TIMEOUT_MS
  let heardAtMs = askedAt.monotonicMs

  return {
    ended: read(),
    resumeFrom: () => resumeFrom,
    hasSynced: () => hasSynced,
    checkSilence() {
      if (moment().monotonicMs - heardAtMs <= maxSilenceMs) return
      controller.abort(new Error(`the feed was silent for ${maxSilenceMs / 1000} s`))
    },
    abort() {
      controller.abort()
    },
  }

  async function read(): Promise<void> {
    const { signal } = controller
    try {
      const response = await named(
        deps.fetch(request.url.href, {
          headers: {
            authorization: request.authorization,
            accept: 'text/event-stream',
            ...(resumeFrom && { 'last-event-id': resumeFrom }),
          },
          redirect: 'error',
          signal,
        }),
        { url: request.url, signal },
      )
      const isFeed = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
      if (response.status !== 200 || !isFeed) throw new FeedRefusedError(request.url, response)
      await readEvents(response.body)
    } finally {
      // Whatever ended it: nobody reads on.
      controller.abort()
    }
  }

  async function readEvents(body: ReadableStream<Uint8Array> | null): Promise<void> {
    const parser = eventStreamParser(take)
    const decoder = new TextDecoder()
    const reader = body?.getReader()
    const { signal } = controller
    const next = async () => await named(Promise.resolve(reader?.read()), { url: request.url, signal })
    for (let part = await next(); part?.done === false; part = await next()) {
      parser.push(decoder.decode(part.value, { stream: true }))
    }
  }

  function take(streamEvent: StreamEvent): void {
    // Events that were read already when the end was decided do not count any more.
    controller.signal.throwIfAborted()
    const event = parseFeedEvent(streamEvent)
    switch (event?.type) {
      case undefined:
        return
      case 'open':
        maxSilenceMs = event.open.lease * 1000 * SILENT_SHARE
        replica.open(askedAt, event.open)
        break
      case 'snapshot':
        replica.add(event.denials)
        break
      case 'deny':
        replica.add(event.denials)
        // Only a sync is a heartbeat: without one, what is known grows old however much comes in.
        return
      case 'sync':
        replica.sync(event.sync)
        hasSynced = true
        resumeFrom = event.resumeFrom
        // As good as silence. Its measure was set meanwhile, perhaps: the next one measures anew.
        if (!replica.isKnown()) return
    }
    heardAtMs = moment().monotonicMs
  }
}

/** "fetch failed" is all that a fetch would say. Rejects with why it was aborted, if it was. */
async function named<Answer>(
  work: Promise<Answer>,
  { url, signal }: { url: URL; signal: AbortSignal },
): Promise<Answer> {
  try {
    return await work
  } catch (cause) {
    signal.throwIfAborted()
    throw new Error(`${url.href} gives no answer`, { cause })
  }
}
