// Answers operators and their orchestrators: whether the process lives, and whether all that it stands on is there.
import type { Dialect } from '../endpoint.ts'
import { tokenApiErrors } from '../token-api/errors.ts'
import { getHealthz } from './get-healthz.ts'
import { getReadyz, type GetReadyzDeps } from './get-readyz.ts'

export function operators(deps: GetReadyzDeps): Dialect {
  return { errors: tokenApiErrors, endpoints: [getHealthz(), getReadyz(deps)] }
}
