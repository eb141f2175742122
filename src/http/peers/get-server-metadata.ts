// GET /.well-known/oauth-authorization-server: the metadata by which clients discover this service (RFC 8414).
import { z } from 'zod'
import { answers } from '../describe/answers.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { TAGS } from '../oauth/tags.ts'
import { KEPT, publish } from './publish.ts'

export interface GetServerMetadataDeps {
  /** `iss` of the tokens: the URL under which this service is reached. */
  issuer: string
}

const names = z.array(z.string())

const metadata = z.object({
  issuer: z.string(),
  jwks_uri: z.string(),
  introspection_endpoint: z.string(),
  introspection_endpoint_auth_methods_supported: names,
  revocation_endpoint: z.string(),
  revocation_endpoint_auth_methods_supported: names,
  response_types_supported: names,
  grant_types_supported: names,
  service_documentation: z.string(),
})

const operation: Operation = {
  operationId: 'readServerMetadata',
  summary: 'Tell OAuth clients where all of this is (RFC 8414)',
  tags: TAGS,
  security: [],
  responses: { '200': answers(KEPT, metadata, metadataOf('https://auth.example.com')) },
}

export function getServerMetadata({ issuer }: GetServerMetadataDeps): Endpoint {
  const document = metadataOf(issuer)
  return {
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
    operation,
    handler: publish(() => document),
  }
}

function metadataOf(issuer: string): z.infer<typeof metadata> {
  const authMethods = ['client_secret_basic', 'client_secret_post']
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    introspection_endpoint_auth_methods_supported: authMethods,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    revocation_endpoint_auth_methods_supported: authMethods,
    // None: nobody logs in through OAuth here. Left out, they would mean others (section 2).
    response_types_supported: [],
    grant_types_supported: [],
    service_documentation: `${issuer}/docs`,
  }
}
