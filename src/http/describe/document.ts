// The OpenAPI 3.1 description of all endpoints, made of what each of them says of itself.
import { createDocument, type oas31, type ZodOpenApiPathsObject } from 'zod-openapi'
import type { Endpoint } from '../endpoint.ts'
import { headers, type DescribedHeader } from './answers.ts'
import { SESSION_ID, USER } from './samples.ts'

export type DescribedEndpoint = Pick<Endpoint, 'method' | 'path' | 'operation'>

export interface DocumentInput {
  endpoints: readonly DescribedEndpoint[]
  /** Of this program. */
  version: string
}

const DESCRIPTION = `An auth service whose logout holds: once a session is over, every token of it is refused.

Paths work with and without a trailing slash, and answer 405 with \`Allow\` to methods that are not described;
\`OPTIONS\` is answered 204 with \`Allow\`. No \`Accept\` changes an answer.
Bodies are read up to 16 KiB.`

const HEADERS: Record<DescribedHeader, oas31.HeaderObject> = {
  'Retry-After': {
    description: 'Seconds after which trying again makes sense.',
    schema: { type: 'integer', examples: [30] },
  },
  'Set-Cookie': {
    description: [
      'The session cookie, or its removal. `SameSite` is that of the setting `SESSION_COOKIE_SAMESITE`; after a login',
      'with `remember_me` there is a `Max-Age`, too.',
    ].join(' '),
    schema: {
      type: 'string',
      examples: ['__Host-signoff=eyJhbGciOi…; Path=/; Secure; HttpOnly; SameSite=Lax'],
    },
  },
  'WWW-Authenticate': {
    description: 'The challenge of a 401 (RFC 9110 section 11.6.1).',
    schema: { type: 'string', examples: ['Bearer realm="api"'] },
  },
  'X-Auth-Role': {
    description: 'The role of the user.',
    schema: { type: 'string', examples: [USER.role] },
  },
  'X-Auth-Session': {
    description: 'The id of the session (`sid`).',
    schema: { type: 'string', examples: [SESSION_ID] },
  },
  'X-Auth-User': {
    description: 'The id of the user (`sub`).',
    schema: { type: 'string', examples: [USER.id] },
  },
  'X-Request-Id': {
    description: 'The one that the request named, or else a new one; the system log has it, too.',
    schema: { type: 'string', examples: ['0f8a2b1c-6d3e-4f5a-9b7c-1d2e3f4a5b6c'] },
  },
}

const SECURITY_SCHEMES: Record<string, oas31.SecuritySchemeObject> = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token.' },
  peer: {
    type: 'http',
    scheme: 'basic',
    description: 'The `client_id` and `client_secret` of a peer, from `signoff peer add`.',
  },
  sessionCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-signoff',
    description: 'Set by `POST /auth/session`; browsers send it by themselves, and let nobody type it in.',
  },
  csrfToken: {
    type: 'apiKey',
    in: 'header',
    name: 'X-CSRF-Token',
    description: 'The `csrf_token` of the session, from `POST` or `GET /auth/session`.',
  },
}

export function openApiDocument({ endpoints, version }: DocumentInput): oas31.OpenAPIObject {
  const document = createDocument({
    openapi: '3.1.1',
    info: { title: 'Signoff', version, description: DESCRIPTION },
    // Relative: whatever name the page is reached under, it asks the same host.
    servers: [{ url: '/' }],
    paths: pathsOf(endpoints),
    components: { securitySchemes: SECURITY_SCHEMES, headers: HEADERS },
  })
  nameRequests(document)
  return document
}

function pathsOf(endpoints: readonly DescribedEndpoint[]): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {}
  for (const { method, path, operation } of endpoints) {
    const template = path.replace(/:(\w+)/g, '{$1}')
    const item = (paths[template] ??= {})
    item[method.toLowerCase() as Lowercase<Endpoint['method']>] = operation
  }
  return paths
}

/** Every answer has this header, so no operation says so. */
function nameRequests(document: oas31.OpenAPIObject): void {
  for (const item of Object.values(document.paths ?? {})) {
    for (const operation of [item.get, item.post, item.put, item.delete]) {
      for (const response of Object.values(operation?.responses ?? {}) as oas31.ResponseObject[]) {
        response.headers = { ...response.headers, ...headers('X-Request-Id') }
      }
    }
  }
}
