// One deadline for each request, whatever is asked of the stores meanwhile: their own bounds hold for a step each.
import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import { AuthError } from '../../auth/errors.ts'
import { within, type Clock } from '../../clock.ts'
import type { SystemLog } from '../../ops/log.ts'
import { routeOf } from './route-of.ts'
import type { WaitingCallers } from './waiting-callers.ts'

/** From the end of the request's body, or from the last step of long work, to its answer. */
const REQUEST_MS = 2500
const TELL_EVERY_MS = 60_000

export interface RequestDeadlineDeps {
  callers: Pick<WaitingCallers, 'arrived' | 'dismiss' | 'progressedAtMs'>
  log: SystemLog
}

/**
 * Rejects with `unavailable` when what comes next takes too long. That goes on unheard: from then on its caller is not
 * waiting, so it stops before the next thing that cannot be undone.
 */
export function requestDeadline({ callers, log }: RequestDeadlineDeps, clock: Clock): Middleware {
  const late = Symbol('late')
  let toldAtMs = -Infinity
  return async (ctx, next) => {
    // By now its body is read too, however slow the line is.
    callers.arrived(ctx.req)
    const work = next()
    for (let ms = REQUEST_MS; ms > 0; ms = REQUEST_MS - sinceProgressMs(ctx.req)) {
      if ((await within(clock, { ms, late }, work)) !== late) return
    }
    callers.dismiss(ctx.req)
    tell(routeOf(ctx))
    throw new AuthError('unavailable')
  }

  function sinceProgressMs(request: IncomingMessage): number {
    return clock.steadyMs() - callers.progressedAtMs(request)
  }

  /** Each of the steps may be fast enough to pass for healthy. */
  function tell(route: string): void {
    const now = clock.steadyMs()
    if (now - toldAtMs < TELL_EVERY_MS) return
    toldAtMs = now
    log.warn(
      { route, deadlineMs: REQUEST_MS },
      'a request was answered 503, since Postgres, Redis or the hashing of passwords was too slow; others may follow, and are told once a minute',
    )
  }
}
