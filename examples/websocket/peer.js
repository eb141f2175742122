// A WebSocket peer: the token is checked once, at the upgrade; at the logout the socket is hung up.
import { createServer } from 'node:http'
import { authenticateUpgrade, createVerifier, feed } from 'signoff/peer'
import { WebSocketServer } from 'ws'

const {
  SIGNOFF_URL = 'https://localhost:8443',
  SIGNOFF_CLIENT_ID,
  SIGNOFF_CLIENT_SECRET,
  PORT = '3000',
} = process.env
if (!SIGNOFF_CLIENT_ID || !SIGNOFF_CLIENT_SECRET) {
  console.error('Set SIGNOFF_CLIENT_ID and SIGNOFF_CLIENT_SECRET, as printed by: signoff peer add NAME')
  process.exit(2)
}

const verifier = createVerifier({
  issuer: SIGNOFF_URL,
  audience: 'signoff',
  denylist: feed({ clientId: SIGNOFF_CLIENT_ID, clientSecret: SIGNOFF_CLIENT_SECRET }),
  onError: (error) => console.error(error),
})

/** In the range that is free for applications (RFC 6455 section 7.4.2). */
const SESSION_OVER = 4401
const HANG_UP_MS = 1000

const server = createServer((_request, response) => response.writeHead(426).end())
const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: 64 * 1024,
  // Never `bearer.<token>`, by which a browser brings its token: it has no business in the answer.
  handleProtocols: (offered) => (offered.has('echo') ? 'echo' : false),
})

server.on('upgrade', async (request, socket, head) => {
  socket.on('error', () => socket.destroy())
  const { claims, refusal } = await authenticateUpgrade(verifier, request)
  if (refusal) return socket.end(refusal)

  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    const answer = (data) => webSocket.send(`${claims.sub} says ${data}`)
    webSocket.on('message', answer)
    webSocket.on('error', () => webSocket.terminate())

    const stop = verifier.onSessionEnd(claims.sid, (reason) => {
      // Whoever does not hang up as well is no longer listened to, and soon cut off.
      webSocket.off('message', answer)
      webSocket.close(SESSION_OVER, reason)
      setTimeout(() => webSocket.terminate(), HANG_UP_MS)
    })
    webSocket.on('close', stop)
  })
})

// Not before it can tell who was logged out: until then everybody would be told 503.
await verifier.ready().catch((error) => {
  console.error('Is Signoff up at SIGNOFF_URL, its certificate trusted, the secret right?', error)
  process.exit(1)
})
server.listen(Number(PORT), '127.0.0.1', () => console.log(`Listening on ws://localhost:${PORT}`))

process.once('SIGTERM', () => {
  server.close()
  for (const webSocket of sockets.clients) webSocket.close(1001)
  void verifier.close()
})
