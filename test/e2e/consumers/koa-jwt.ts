// A Koa peer on koa-jwt, with its keys through jwks-rsa.
import Koa from 'koa'
import jwt from 'koa-jwt'
import jwksRsa from 'jwks-rsa'
import { served, type Consumer } from './consumer.ts'

export const koaJwt: Consumer = {
  name: 'koa-jwt with jwks-rsa',
  start: async ({ issuer, httpsAgent }) => {
    const app = new Koa()
    app.use(
      jwt({
        secret: jwksRsa.koaJwtSecret({
          jwksUri: `${issuer}/.well-known/jwks.json`,
          cache: true,
          requestAgent: httpsAgent,
        }),
        issuer,
        audience: 'signoff',
        algorithms: ['ES256'],
      }),
    )
    app.use((ctx) => {
      ctx.body = 'welcome'
    })
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- Koa answers for its own failures.
    return await served(app.callback())
  },
}
