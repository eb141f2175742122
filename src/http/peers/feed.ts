// GET /denylist/feed: the denials as server-sent events, for replicas of the denylist.
import type { Context } from 'koa'
import { authenticatePeer, type AuthenticatePeerDeps } from '../../auth/peers/authenticate-peer.ts'
import { FEED_PATH } from '../../contract/feed.ts'
import { clientCredentials } from '../request/client-credentials.ts'
import type { Dialect, Endpoint } from '../endpoint.ts'
import { oauthErrors } from '../oauth/errors.ts'
import type { CallerOf } from '../request/caller.ts'
import type { FeedReaders } from './feed-readers.ts'
import { denylistFeed } from './operations.ts'

export interface FeedDeps extends AuthenticatePeerDeps, CallerOf {
  feedReaders: FeedReaders
}

/** To read the last of it. */
const GOODBYE_MS = 2000

export function feed(deps: FeedDeps): Dialect {
  return {
    errors: oauthErrors,
    endpoints: [{ method: 'GET', path: FEED_PATH, operation: denylistFeed, handler: getFeed(deps) }],
  }
}

function getFeed(deps: FeedDeps): Endpoint['handler'] {
  return async (ctx) => {
    const arrivedAt = performance.now()
    const credentials = clientCredentials(ctx)
    const clientId = await authenticatePeer(deps, { credentials, caller: deps.callerOf(ctx) })
    const lastEventId = ctx.get('Last-Event-ID')
    const stream = deps.feedReaders.open({ clientId, arrivedAt, lastEventId })
    // A proxy that collects what it passes on would keep denials back.
    ctx.set('X-Accel-Buffering', 'no')
    // A reader that comes again is to reach any instance; and one that stops does not wait for what is idle.
    ctx.set('Connection', 'close')
    ctx.type = 'text/event-stream'
    ctx.body = stream
    stream.once('end', () => {
      endConnection(ctx)
    })
  }
}

/** Also where its end is not read. */
function endConnection({ res }: Context): void {
  const timer = setTimeout(() => res.destroy(), GOODBYE_MS).unref()
  res.once('close', () => {
    clearTimeout(timer)
  })
}
