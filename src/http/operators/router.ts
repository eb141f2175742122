// Answers operators and their orchestrators: whether the process lives, and whether all that it stands on is there.
import type { Dialect, Endpoint } from '../endpoint.ts'
import { answer } from '../errors.ts'
import { tokenApiErrors } from '../token-api/errors.ts'
import { healthz, readyz } from './operations.ts'

export interface OperatorsDeps {
  /** Each part by name: `ok`, or in a few words what is wrong with it. Never rejects. */
  readiness: () => Promise<Record<string, string>>
  /** The names of the settings in which the instances differ, though they must not. */
  differingSettings: () => readonly string[]
}

export function operators(deps: OperatorsDeps): Dialect {
  return {
    errors: tokenApiErrors,
    endpoints: [
      { method: 'GET', path: '/healthz', operation: healthz, handler: getHealth },
      { method: 'GET', path: '/readyz', operation: readyz, handler: getReadiness(deps) },
    ],
  }
}

const getHealth: Endpoint['handler'] = (ctx) => {
  ctx.body = { status: 'ok' }
}

function getReadiness({ readiness, differingSettings }: OperatorsDeps): Endpoint['handler'] {
  return async (ctx) => {
    const checks = await readiness()
    const isReady = Object.values(checks).every((check) => check === 'ok')
    const settings = settingsText(differingSettings())
    const body = { status: isReady ? 'ready' : 'not ready', checks, settings }
    answer(ctx, { status: isReady ? 200 : 503, body })
  }
}

/** No reason not to be ready: while a setting is changed at one instance after the other, all of them go on. */
function settingsText(differing: readonly string[]): string {
  return differing.length === 0
    ? 'ok'
    : `the instances differ in ${differing.join(', ')}: the log says which has what`
}
