// The metadata by which clients discover this service (RFC 8414).

/** The document at `/.well-known/oauth-authorization-server`. */
export function authorizationServerMetadata(issuer: string) {
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
