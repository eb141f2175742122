// A peer on jose alone.
import { createRemoteJWKSet, customFetch, errors, jwtVerify } from 'jose'
import { called, type Consumer } from './consumer.ts'

export const jose: Consumer = {
  name: 'jose',
  start: async ({ issuer, fetch }) => {
    const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), { [customFetch]: fetch })
    const expected = { issuer, audience: 'signoff', typ: 'at+jwt', algorithms: ['ES256'] }
    return await Promise.resolve(
      called(
        async (token) => await jwtVerify(token, keys, expected),
        (error) => error instanceof errors.JOSEError,
      ),
    )
  },
}
