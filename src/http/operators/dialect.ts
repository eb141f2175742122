// Answers operators and their orchestrators: whether the process lives, can answer, and has all that it stands on.
import type { Dialect } from '../endpoint.ts'
import { tokenApiErrors } from '../token-api/errors.ts'
import { getHealthz } from './get-healthz.ts'
import { getReadyz, type GetReadyzDeps } from './get-readyz.ts'
import { getReadyzTraffic } from './get-readyz-traffic.ts'

export function operators(deps: GetReadyzDeps): Dialect {
  return { errors: tokenApiErrors, endpoints: [getHealthz(), getReadyz(deps), getReadyzTraffic(deps)] }
}
