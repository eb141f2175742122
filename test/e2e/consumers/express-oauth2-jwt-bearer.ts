// An Express peer on express-oauth2-jwt-bearer, in the strict mode of RFC 9068.
import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'
import { served, type Consumer } from './consumer.ts'

export const expressOauth2JwtBearer: Consumer = {
  name: 'express-oauth2-jwt-bearer',
  start: async ({ issuer, httpsAgent }) => {
    const app = express()
    // Or else it prints each refusal with its stack.
    app.set('env', 'test')
    app.use(
      auth({
        issuerBaseURL: issuer,
        audience: 'signoff',
        tokenSigningAlg: 'ES256',
        strict: true,
        agent: httpsAgent,
      }),
    )
    app.use((_request, response) => {
      response.send('welcome')
    })
    return await served(app)
  },
}
