// A Koa peer: whoever brings a live access token is welcome, and nobody is from the moment of their logout.
import Koa from 'koa'
import { createVerifier, feed, koaAuth } from 'signoff/peer'

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

const app = new Koa()
app.use(koaAuth(verifier))
app.use((ctx) => {
  ctx.body = { user: ctx.state.auth.sub }
})

// Not before it can tell who was logged out: until then everybody would be told 503.
await verifier.ready().catch((error) => {
  console.error('Is Signoff up at SIGNOFF_URL, its certificate trusted, the secret right?', error)
  process.exit(1)
})
const server = app.listen(Number(PORT), '127.0.0.1', () =>
  console.log(`Listening on http://localhost:${PORT}`),
)

process.once('SIGTERM', () => {
  server.close()
  void verifier.close()
})
