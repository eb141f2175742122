// The measure of all costs: a server of the same stack that only reads JSON, and answers with it.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import Router from '@koa/router'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'

const [certFile = '', keyFile = ''] = process.argv.slice(2)

const router = new Router()
router.get('/healthz', (ctx) => {
  ctx.body = { status: 'ok' }
})
router.post('/echo', (ctx) => {
  ctx.body = ctx.request.body
})
const app = new Koa()
app.use(bodyParser())
app.use(router.routes())

const callback = app.callback()
const server = createServer(
  { cert: readFileSync(certFile), key: readFileSync(keyFile) },
  (request, response) => void callback(request, response),
)
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system })
})
// The parent is done, or gone.
process.on('disconnect', () => {
  process.exit()
})
