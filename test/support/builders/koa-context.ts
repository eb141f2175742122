// Koa contexts of requests that never crossed a wire.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import Koa, { type Context } from 'koa'

export interface RequestParts {
  method?: string
  headers?: Record<string, string>
  /** As `readBody` leaves it. */
  body?: string | Uint8Array
}

export function koaContext({ method = 'POST', headers = {}, body }: RequestParts = {}): Context {
  const request = new IncomingMessage(new Socket())
  request.method = method
  request.url = '/'
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  request.headers = {
    ...(bytes && { 'content-length': String(bytes.length) }),
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  }
  const ctx = new Koa().createContext(request, new ServerResponse(request)) as unknown as Context
  if (bytes) Object.assign(ctx.request, { rawBody: bytes })
  return ctx
}
