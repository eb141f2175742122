// A peer on oauth4webapi, which validates access tokens as RFC 9068 has it.
import * as oauth from 'oauth4webapi'
import { called, type Consumer } from './consumer.ts'

export const oauth4webapi: Consumer = {
  name: 'oauth4webapi',
  start: async ({ issuer, fetch }) => {
    const server = { issuer, jwks_uri: `${issuer}/.well-known/jwks.json` }
    const options = { [oauth.customFetch]: fetch, signingAlgorithms: ['ES256'] }
    return await Promise.resolve(
      called(
        async (token) => {
          const request = new Request('https://peer.example/', {
            headers: { Authorization: `Bearer ${token}` },
          })
          return await oauth.validateJwtAccessToken(server, request, 'signoff', options)
        },
        (error) =>
          error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError,
      ),
    )
  },
}
