// The description of the service, /openapi.json, and the page that shows it, /docs.
import type { Dialect, Endpoint } from '../endpoint.ts'
import { tokenApiErrors } from '../token-api/errors.ts'
import { getAsset } from './get-asset.ts'
import { getDescription } from './get-description.ts'
import { getPage } from './get-page.ts'

export interface OpenApiDeps {
  described: readonly Dialect[]
  /** Of this program. */
  version: string
}

/** Describes the other dialects and itself. All of it is made when it is first asked for: few processes ever are. */
export function openApi({ described, version }: OpenApiDeps): Dialect {
  const own: Endpoint[] = [
    getDescription({
      endpoints: () => [...described.flatMap((dialect) => dialect.endpoints), ...own],
      version,
    }),
    getPage(),
    getAsset(),
  ]
  return { errors: tokenApiErrors, isCacheable: true, endpoints: own }
}
