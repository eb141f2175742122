// An endpoint of the token API under two paths: ours, and the one of SimpleJWT's own guide, which many clients have built in.
import type { Endpoint, Operation } from '../endpoint.ts'

export interface GuideEndpoint extends Endpoint {
  /** The path of SimpleJWT's guide. */
  guidePath: Endpoint['path']
}

/** The endpoint at its own path, and then the same at that of the guide. */
export function atBothPaths({ guidePath, ...endpoint }: GuideEndpoint): Endpoint[] {
  const { method, path, operation } = endpoint
  const alias: Operation = {
    ...operation,
    // Each id stands for one path and method (OpenAPI 3.1 section 4.8.10).
    operationId: `${operation.operationId}AsInGuide`,
    summary: `The same as \`${method} ${path}\`, under the path of SimpleJWT’s guide`,
  }
  return [endpoint, { ...endpoint, path: guidePath, operation: alias }]
}
