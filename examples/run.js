// Runs an example beside a running `npm start`, with credentials of its own: node examples/run.js koa
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const COMMANDS = {
  koa: [['node', 'examples/koa/peer.js']],
  express: [['node', 'examples/express/peer.js']],
  fastify: [['node', 'examples/fastify/peer.js']],
  websocket: [['node', 'examples/websocket/peer.js']],
  'python-redis': [['python3', 'examples/python-redis/peer.py']],
  curl: [['sh', 'examples/curl/session.sh']],
  nginx: [
    ['node', 'examples/gateway-app.js'],
    ['node', 'examples/nginx/run.js'],
  ],
  caddy: [
    ['node', 'examples/gateway-app.js'],
    ['caddy', 'run', '--config', 'examples/caddy/Caddyfile', '--adapter', 'caddyfile'],
  ],
}

const name = process.argv[2]
const commands = COMMANDS[name] ?? fail(`Usage: node examples/run.js ${Object.keys(COMMANDS).join('|')}`, 2)
process.chdir(join(import.meta.dirname, '..'))
const dataDir = resolve(process.env.DATA_DIR ?? '.signoff')
const { url, redisUrl } = running()
const certificate = join(dataDir, 'tls/cert.pem')

const env = {
  REDIS_URL: redisUrl,
  ...process.env,
  SIGNOFF_URL: process.env.ISSUER ?? url,
  SIGNOFF_PASSWORD_FILE: join(dataDir, 'demo-password'),
  APP: `127.0.0.1:${process.env.APP_PORT ?? 3000}`,
  ...credentials(`example-${name}`),
  // By each of these, somebody learns to trust the development certificate.
  NODE_EXTRA_CA_CERTS: certificate,
  SSL_CERT_FILE: certificate,
  CURL_CA_BUNDLE: certificate,
}

const children = commands.map(([program, ...args]) => spawn(program, args, { env, stdio: 'inherit' }))
for (const [index, child] of children.entries()) {
  child.on('error', () => stop(`${commands[index][0]} is not on the PATH: install it first`))
  child.on('close', (status) => stop(null, status ?? 1))
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop(null, 0))

function running() {
  const file = join(dataDir, 'running.json')
  if (!existsSync(file)) fail('Start Signoff first, in another terminal: npm start', 1)
  return JSON.parse(readFileSync(file, 'utf8'))
}

/** New ones each time, since a secret is shown once. */
function credentials(peer) {
  const signoff = (...args) => spawnSync(process.execPath, ['dist/main.js', 'peer', ...args])
  // There may be one from the last time.
  signoff('remove', peer)
  const { status, stdout, stderr } = signoff('add', peer, '--json')
  if (status !== 0) fail(`signoff peer add ${peer}: ${stderr}`, 1)
  const added = JSON.parse(stdout)
  return { SIGNOFF_CLIENT_ID: added.client_id, SIGNOFF_CLIENT_SECRET: added.client_secret }
}

function stop(message, status = 1) {
  if (message) console.error(message)
  process.exitCode ??= status
  for (const child of children) child.kill('SIGTERM')
}

function fail(message, status) {
  console.error(message)
  process.exit(status)
}
