// The middleware in real Koa, Express and Fastify, and an upgrade of real WebSockets.
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { expect } from 'chai'
import express, { type Request } from 'express'
import fastify from 'fastify'
import Koa from 'koa'
import { WebSocket, WebSocketServer } from 'ws'
import {
  authenticateUpgrade,
  createVerifier,
  expressAuth,
  fastifyAuth,
  koaAuth,
  type AccessClaims,
  type Authenticated,
  type Verifier,
} from '../../../src/peer/index.ts'
import { fakeSignoff, type FakeSignoff } from '../../../src/peer/testing/index.ts'

interface App {
  /** Answers `{"sid":…}` to whoever may pass. */
  listener: RequestListener
  close?: () => Promise<void>
}

const APPS: Record<string, (verifier: Pick<Verifier, 'verify'>) => Promise<App>> = {
  async koaAuth(verifier) {
    const app = new Koa()
    app.silent = true
    app.use(koaAuth(verifier))
    app.use((ctx) => {
      ctx.body = { sid: (ctx.state['auth'] as AccessClaims).sid }
    })
    const listener = app.callback()
    return await Promise.resolve({ listener: (request, response) => void listener(request, response) })
  },

  async expressAuth(verifier) {
    const app = express()
    app.use(expressAuth(verifier))
    app.get('/', (req, res) => {
      res.json({ sid: (req as Authenticated<Request>).auth.sid })
    })
    // Outside of development it answers a bare 500, and prints nothing in tests.
    app.set('env', 'test')
    return await Promise.resolve({ listener: app })
  },

  async fastifyAuth(verifier) {
    const app = fastify()
    app.addHook('onRequest', fastifyAuth(verifier))
    app.get('/', (request) => ({ sid: (request as Authenticated<typeof request>).auth.sid }))
    await app.ready()
    return {
      listener: (request, response) => {
        app.routing(request, response)
      },
      close: async () => {
        await app.close()
      },
    }
  },
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

for (const [name, create] of Object.entries(APPS)) {
  describe(name, () => {
    let fake: FakeSignoff
    let verifier: Verifier
    let failure: Error | null
    let app: App
    let server: Server
    let url: string

    beforeEach(async () => {
      fake = await fakeSignoff()
      verifier = createVerifier(fake.options)
      failure = null
      app = await create({
        verify: async (token) => {
          if (failure) throw failure
          return await verifier.verify(token)
        },
      })
      server = createServer(app.listener)
      url = `http://${await listening(server)}`
    })
    afterEach(async () => {
      await app.close?.()
      await verifier.close()
      server.closeAllConnections()
      server.close()
    })

    async function call(authorization?: string) {
      const response = await fetch(url, { headers: { ...(authorization && { authorization }) } })
      const { status, headers } = response
      return {
        status,
        body: await response.text(),
        challenge: headers.get('www-authenticate'),
        retryAfter: headers.get('retry-after'),
        type: headers.get('content-type')?.split(';')[0],
      }
    }
    const refused = (code: string) => ({
      status: 401,
      body: JSON.stringify({ error: code }),
      challenge: 'Bearer error="invalid_token"',
      retryAfter: null,
      type: 'application/json',
    })

    it('lets a live token pass, with its claims, whatever the case of the scheme', async () => {
      const { token, claims } = await fake.mint()

      for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
        expect(await call(`${scheme} ${token}`)).to.include({
          status: 200,
          body: JSON.stringify({ sid: claims.sid }),
        })
      }
    })

    it('answers 401 without an error where there is no token', async () => {
      const { token } = await fake.mint()

      for (const authorization of [
        undefined,
        'Bearer',
        `Basic ${token}`,
        `Bearer ${token} ${token}`,
        token,
      ]) {
        expect(await call(authorization)).to.deep.equal({ ...refused('token_missing'), challenge: 'Bearer' })
      }
    })

    it('answers 401 with the code for a token that is refused', async () => {
      const [ended, expired] = [await fake.mint(), await fake.mint({ expiresInSeconds: -60 })]
      fake.endSession(ended.claims.sid)

      expect(await call('Bearer x')).to.deep.equal(refused('token_invalid'))
      expect(await call(`Bearer ${expired.token}`)).to.deep.equal(refused('token_expired'))
      expect(await call(`Bearer ${ended.token}`)).to.deep.equal(refused('token_denied'))
    })

    it('answers 503 when it cannot be told', async () => {
      const { token } = await fake.mint()
      fake.goUnknown()

      expect(await call(`Bearer ${token}`)).to.deep.equal({
        status: 503,
        body: '{"error":"denylist_unknown"}',
        challenge: null,
        retryAfter: '1',
        type: 'application/json',
      })
    })

    it('leaves a defect to the framework, and tells nothing of it', async () => {
      failure = new Error('a defect')

      const { status, challenge } = await call('Bearer x')

      expect({ status, challenge }).to.deep.equal({ status: 500, challenge: null })
    })
  })
}

describe('authenticateUpgrade', () => {
  let fake: FakeSignoff
  let verifier: Verifier
  let server: Server
  let address: string

  beforeEach(async () => {
    fake = await fakeSignoff()
    verifier = createVerifier(fake.options)
    const sockets = new WebSocketServer({
      noServer: true,
      handleProtocols: (offered) => offered.has('chat') && 'chat',
    })
    server = createServer()
    server.on('upgrade', (request, socket, head) => {
      void authenticateUpgrade(verifier, request).then(({ claims, refusal }) => {
        if (refusal !== null) {
          socket.end(refusal)
          return
        }
        sockets.handleUpgrade(request, socket, head, (webSocket) => {
          verifier.onSessionEnd(claims.sid, (reason) => {
            webSocket.close(4401, reason)
          })
          webSocket.send(claims.sid)
        })
      })
    })
    address = await listening(server)
  })
  afterEach(async () => {
    await verifier.close()
    server.closeAllConnections()
    server.close()
  })

  const connect = (protocols: string[], headers: Record<string, string> = {}, path = '/') =>
    new WebSocket(`ws://${address}${path}`, protocols, { headers })
  const greetingOf = async (socket: WebSocket): Promise<string> => {
    const [data] = (await once(socket, 'message')) as [Buffer]
    return data.toString()
  }
  async function refusalTo(
    socket: WebSocket,
  ): Promise<{ status: number | undefined; retryAfter: string | undefined; body: string }> {
    socket.on('error', () => undefined)
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    let body = ''
    for await (const chunk of response) body += String(chunk)
    return { status: response.statusCode, retryAfter: response.headers['retry-after'], body }
  }

  it('takes the token from the header, or from a subprotocol that is not sent back', async () => {
    const { token, claims } = await fake.mint()
    const [byHeader, byProtocol] = [
      connect([], { authorization: `Bearer ${token}` }),
      connect(['chat', `bearer.${token}`]),
    ]

    expect(await Promise.all([greetingOf(byHeader), greetingOf(byProtocol)])).to.deep.equal([
      claims.sid,
      claims.sid,
    ])
    expect(byProtocol.protocol).to.equal('chat')
    byHeader.terminate()
    byProtocol.terminate()
  })

  it('closes the socket when the session ends, and when that can no longer be told', async () => {
    const [ended, cutOff] = [await fake.mint(), await fake.mint()]
    const sockets = [ended, cutOff].map(({ token }) => connect(['chat', `bearer.${token}`]))
    const closed = sockets.map(async (socket) => {
      const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
      return { code, reason: reason.toString() }
    })
    await Promise.all(sockets.map(greetingOf))

    fake.endSession(ended.claims.sid)
    const first = await closed[0]
    fake.goUnknown()

    expect(first).to.deep.equal({ code: 4401, reason: 'token_denied' })
    expect(await closed[1]).to.deep.equal({ code: 4401, reason: 'denylist_unknown' })
  })

  it('refuses with a whole answer that tells why', async () => {
    const { token, claims } = await fake.mint()
    fake.endSession(claims.sid)
    const refused = (code: string) => ({ status: 401, retryAfter: undefined, body: `{"error":"${code}"}` })

    expect(await refusalTo(connect(['chat']))).to.deep.equal(refused('token_missing'))
    expect(await refusalTo(connect(['chat', `bearer.${token}`]))).to.deep.equal(refused('token_denied'))
    fake.goUnknown()
    expect(
      await refusalTo(connect([], { authorization: `Bearer ${(await fake.mint()).token}` })),
    ).to.deep.equal({
      status: 503,
      retryAfter: '1',
      body: '{"error":"denylist_unknown"}',
    })
  })

  it('never looks for a token in the query', async () => {
    const { token } = await fake.mint()

    const { body } = await refusalTo(connect(['chat'], {}, `/?access_token=${token}&token=${token}`))

    expect(body).to.equal('{"error":"token_missing"}')
  })
})
