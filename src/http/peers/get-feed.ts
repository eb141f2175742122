// GET /denylist/feed: the denials as server-sent events, for replicas of the denylist.
import type { Context } from 'koa'
import { z } from 'zod'
import { authenticatePeer, type AuthenticatePeerDeps } from '../../auth/peers/authenticate-peer.ts'
import { FEED_PATH } from '../../contract/feed.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { refused } from '../oauth/refusals.ts'
import { TAGS } from '../oauth/tags.ts'
import type { CallerOf } from '../request/caller.ts'
import { clientCredentials } from '../request/client-credentials.ts'
import type { FeedReaders } from './feed-readers.ts'

export interface GetFeedDeps extends AuthenticatePeerDeps, CallerOf {
  feedReaders: FeedReaders
}

/** To read the last of it. */
const GOODBYE_MS = 2000

const EVENTS = `event: open
data: {"now":1763760000123.4,"lease":5,"covers":305}

event: snapshot
data: [{"id":"01a1fe9c-5b63-7cc4-9f0e-3fb2b261fba0","until":1763760300}]

id: 1763760000000
event: sync
data: {"as_of":1763760000456.7}

event: deny
data: {"id":"01a1fe9c-7d0e-71a2-8c55-0f4f1d2b9a01","until":1763760301}

`

const operation: Operation = {
  operationId: 'followDenylist',
  summary: 'Follow the denylist as server-sent events',
  description:
    'For a replica: every current denial, then each new one as it happens, and once a second up to when that is all. `Last-Event-ID` resumes, at whichever instance. Ends after some minutes: come again.',
  tags: TAGS,
  security: [{ peer: [] }],
  responses: {
    '200': {
      description: 'Goes on until one of both ends it.',
      content: { 'text/event-stream': { schema: z.string(), example: EVENTS } },
    },
    ...refused({}),
  },
}

export function getFeed(deps: GetFeedDeps): Endpoint {
  return {
    method: 'GET',
    path: FEED_PATH,
    operation,
    handler: async (ctx) => {
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
    },
  }
}

/** Also where its end is not read. */
function endConnection({ res }: Context): void {
  const timer = setTimeout(() => res.destroy(), GOODBYE_MS).unref()
  res.once('close', () => {
    clearTimeout(timer)
  })
}
